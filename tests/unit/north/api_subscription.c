/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Subscriptions: requests that are none, what a filter selects, what is shown of one.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/text.h"
#include "north/api/healer.h"
#include "north/api/notifier.h"
#include "north/api/subscription.h"
#include "support/message.h"

static const struct gm_vnffm_view view = {.url = "http://127.0.0.1:7666"};

#define INSTANCES(text) \
	"{\"callbackUri\":\"http://a\",\"filter\":{\"vnfInstanceSubscriptionFilter\":" text "}}"
#define PRODUCTS(text) INSTANCES("{\"vnfProductsFromProviders\":" text "}")

static int parse(const char *text, struct gm_subscription *subscription, struct gm_error *err)
{
	struct gm_json *request;
	assert_int_equal(gm_json_parse(text, strlen(text), &request, NULL), 0);
	int result = gm_subscription_parse(request, subscription, err);
	gm_json_free(request);
	return result;
}

struct request {
	const char *text, *says; /* says NULL: accepted */
};

static void expect(const struct request *request)
{
	struct gm_subscription subscription;
	struct gm_error err = {.text = ""};
	if (parse(request->text, &subscription, &err) != (request->says ? -EINVAL : 0))
		fail_msg("%s: %s", request->text, err.text);
	if (request->says && !strstr(err.text, request->says))
		fail_msg("%s: %s", request->text, err.text);
	assert_null(strstr(err.text, "topsecret"));
	gm_subscription_free(&subscription);
}

static void test_refused(void **state)
{
	(void)state;
	static const struct request cases[] = {
		{"{}", "callbackUri"},
		{"{\"callbackUri\":\"ftp://a/b\"}", "callbackUri"},
		{"{\"callbackUri\":\"http:///b\"}", "callbackUri"},
		{"{\"callbackUri\":\"http://a/ b\"}", "callbackUri"},
		{"{\"callbackUri\":\"http://a/\\u00e9\"}", "callbackUri"},
		{"{\"callbackUri\":\"http://a\",\"authentication\":{}}", "authentication"},
		{"{\"callbackUri\":\"http://a\",\"authentication\":{\"authType\":[\"BASIC\"],"
		 "\"paramsBasic\":{\"userName\":\"u\"}}}",
		 "authentication"},
		{"{\"callbackUri\":\"http://a\",\"authentication\":{\"authType\":[\"BASIC\"],"
		 "\"paramsBasic\":{\"userName\":\"u:v\",\"password\":\"topsecret\"}}}",
		 "':'"},
		{"{\"callbackUri\":\"http://a\",\"authentication\":{\"authType\":[\"BASIC\"],"
		 "\"paramsBasic\":{\"userName\":\"u\",\"password\":\"topsecret\\n\"}}}",
		 "authentication"},
		{"{\"callbackUri\":\"http://a\",\"authentication\":{\"authType\":"
		 "[\"OAUTH2_CLIENT_CREDENTIALS\"],\"paramsOauth2ClientCredentials\":{\"clientId\":"
		 "\"u\",\"clientPassword\":\"topsecret\",\"tokenEndpoint\":\"gopher://a\"}}}",
		 "authentication"},
		{"{\"callbackUri\":\"http://a\",\"filter\":{\"eventTypes\":{}}}", NULL},
		{"{\"callbackUri\":\"http://a\",\"filter\":{\"eventTypes\":{\"a\":1}}}",
		 "eventTypes"},
		{"{\"callbackUri\":\"http://a\",\"filter\":{\"probableCauses\":[[]]}}",
		 "probableCauses"},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		expect(&cases[i]);
}

static void test_filters_that_are_none(void **state)
{
	(void)state;
	static const struct request cases[] = {
		{INSTANCES("[]"), "object"},
		{INSTANCES("{\"vnfdIds\":\"x\"}"), "vnfdIds"},
		{INSTANCES("{\"vnfdIds\":{\"a\":\"x\"}}"), "vnfdIds"},
		{INSTANCES("{\"vnfdIds\":[\"x\",null]}"), "vnfdIds"},
		{INSTANCES("{\"vnfdIds\":[]}"), NULL},
		{INSTANCES("{\"vnfdIds\":null,\"vnfInstanceIds\":null}"), NULL},
		{INSTANCES("{\"vnfdIds\":[\"x\",\"\"]}"), NULL},
		{PRODUCTS("{}"), "vnfProductsFromProviders"},
		{PRODUCTS("[\"acme\"]"), "vnfProductsFromProviders"},
		{PRODUCTS("[{}]"), "vnfProvider"},
		{PRODUCTS("[{\"vnfProvider\":1}]"), "vnfProvider"},
		{PRODUCTS("[{\"vnfProvider\":\"a\",\"vnfProducts\":{}}]"), "vnfProducts"},
		{PRODUCTS("[{\"vnfProvider\":\"a\",\"vnfProducts\":[{}]}]"), "vnfProductName"},
		{PRODUCTS("[{\"vnfProvider\":\"a\",\"vnfProducts\":[{\"vnfProductName\":\"p\","
			  "\"versions\":[\"1\"]}]}]"),
		 "versions"},
		{PRODUCTS("[{\"vnfProvider\":\"a\",\"vnfProducts\":[{\"vnfProductName\":\"p\","
			  "\"versions\":[{\"vnfdVersions\":[\"1\"]}]}]}]"),
		 "vnfSoftwareVersion"},
		{PRODUCTS("[{\"vnfProvider\":\"a\",\"vnfProducts\":[{\"vnfProductName\":\"p\","
			  "\"versions\":[{\"vnfSoftwareVersion\":\"1\",\"vnfdVersions\":\"1\"}]}]}"
			  "]"),
		 "vnfdVersions"},
		{PRODUCTS("[{\"vnfProvider\":\"a\"},{\"vnfProvider\":\"b\",\"vnfProducts\":[]}]"),
		 NULL},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		expect(&cases[i]);
}

/* One that was made when nobody looked at them: all is told, as it was then. */
static void test_old_filters_are_mended(void **state)
{
	(void)state;
	static const char *const filters[] = {"\"x\"", "null", "{}", "[1]", "[\"x\"]"};
	for (size_t i = 0; i < sizeof(filters) / sizeof(filters[0]); i++) {
		struct gm_subscription subscription;
		struct gm_json *request;
		struct gm_error err = {.text = ""};
		char text[256];
		snprintf(text, sizeof(text),
			 "{\"callbackUri\":\"http://a\",\"filter\":{"
			 "\"vnfInstanceSubscriptionFilter\":{\"vnfdIds\":%s}}}",
			 filters[i]);
		assert_int_equal(gm_json_parse(text, strlen(text), &request, &err), 0);
		if (gm_subscription_restore(request, &subscription, &err) < 0)
			fail_msg("%s: %s", text, err.text);
		gm_json_free(request);
		const struct gm_json *instances =
			gm_json_get(subscription.filter, "vnfInstanceSubscriptionFilter");
		assert_int_equal(gm_vnf_is_asked_for(instances), i == 4);
		gm_subscription_free(&subscription);
	}
}

static struct gm_transition transition(enum gm_transition_kind kind, enum gm_severity severity)
{
	struct gm_transition made = {.sequence = 1, .kind = kind, .time = GM_SECOND};
	made.alarm = (struct gm_alarm){
		.id = 7,
		.severity = severity,
		.event_type = GM_EVENT_QUALITY_OF_SERVICE,
		.cause = GM_CAUSE_CONGESTION,
		.raised_at = GM_SECOND,
		.changed_at = GM_SECOND,
		.cleared_at = kind == GM_TRANSITION_CLEAR ? 2 * GM_SECOND : 0,
		.guest = {0x11, 0x22},
		.guest_name = "web",
	};
	made.alarm.key = gm_entity_guest(made.alarm.guest);
	return made;
}

static bool wants(const char *filter, const struct gm_transition *told)
{
	char text[512];
	struct gm_subscription subscription;
	struct gm_error err;
	snprintf(text, sizeof(text), "{\"callbackUri\":\"http://a\",\"filter\":%s}", filter);
	if (parse(text, &subscription, &err) < 0)
		fail_msg("%s: %s", text, err.text);
	bool wanted = gm_subscription_wants(&subscription, &view, told);
	gm_subscription_free(&subscription);
	return wanted;
}

static void test_wants(void **state)
{
	(void)state;
	struct gm_transition raise = transition(GM_TRANSITION_RAISE, GM_SEVERITY_MINOR);
	struct gm_transition clear = transition(GM_TRANSITION_CLEAR, GM_SEVERITY_MINOR);
	struct gm_transition node = raise;
	memset(node.alarm.guest, 0, sizeof(node.alarm.guest));
	static const struct {
		const char *filter;
		bool raise, clear;
	} cases[] = {
		{"{}", true, true},
		{"{\"perceivedSeverities\":[]}", true, true},
		{"{\"perceivedSeverities\":[\"MINOR\",\"MAJOR\"]}", true, true},
		{"{\"perceivedSeverities\":[\"MAJOR\"]}", false, true},
		{"{\"notificationTypes\":[\"AlarmNotification\"]}", true, false},
		{"{\"notificationTypes\":[\"AlarmClearedNotification\"]}", false, true},
		{"{\"faultyResourceTypes\":[\"COMPUTE\"]}", true, true},
		{"{\"faultyResourceTypes\":[\"STORAGE\"]}", false, false},
		{"{\"eventTypes\":[\"QOS_ALARM\"],\"probableCauses\":[\"congestion\"]}", true,
		 true},
		{"{\"eventTypes\":[\"QOS_ALARM\"],\"probableCauses\":[\"outOfMemory\"]}", false,
		 false},
		{"{\"vnfInstanceSubscriptionFilter\":{\"vnfInstanceNames\":[\"web\"]}}", true,
		 true},
		{"{\"vnfInstanceSubscriptionFilter\":{\"vnfInstanceNames\":[\"db\"]}}", false,
		 false},
		{"{\"vnfInstanceSubscriptionFilter\":{\"vnfInstanceIds\":"
		 "[\"11220000-0000-0000-0000-000000000000\"]}}",
		 true, true},
		{"{\"vnfInstanceSubscriptionFilter\":{\"vnfInstanceNames\":[\"web\"],"
		 "\"vnfInstanceIds\":[\"x\"]}}",
		 false, false},
		/* What nobody knows of any guest. */
		{"{\"vnfInstanceSubscriptionFilter\":{\"vnfdIds\":[\"x\"]}}", false, false},
		{"{\"vnfInstanceSubscriptionFilter\":{\"vnfdIds\":[],\"vnfProductsFromProviders\":["
		 "]}}",
		 true, true},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		if (wants(cases[i].filter, &raise) != cases[i].raise ||
		    wants(cases[i].filter, &clear) != cases[i].clear)
			fail_msg("%s", cases[i].filter);
		assert_false(wants(cases[i].filter, &node));
	}
}

static bool identify(void *user, const struct gm_alarm *alarm, struct gm_vnf *ret_vnf)
{
	(void)alarm;
	*ret_vnf = *(const struct gm_vnf *)user;
	return true;
}

/* All attributes of one level hold, each for one of its values. */
static void test_filters_by_product(void **state)
{
	(void)state;
	static struct gm_vnf shop = {"vnfd-1", "Acme", "Shop", "2.1", "7"},
			     bare = {.vnfd_id = "vnfd-1", .provider = "Acme"};
#define SHOP(versions)                                                                         \
	"\"vnfProductsFromProviders\":[{\"vnfProvider\":\"Other\"},{\"vnfProvider\":\"Acme\"," \
	"\"vnfProducts\":[{\"vnfProductName\":\"Bank\"},{\"vnfProductName\":\"Shop\"" versions \
	"}]}]"
	static const struct {
		const char *instances;
		bool shop, bare;
	} cases[] = {
		{"\"vnfdIds\":[\"vnfd-0\",\"vnfd-1\"]", true, true},
		{"\"vnfdIds\":[\"vnfd\",\"vnfd-11\",\"\"]", false, false},
		{"\"vnfProductsFromProviders\":[{\"vnfProvider\":\"Acme\"}]", true, true},
		{"\"vnfProductsFromProviders\":[{\"vnfProvider\":\"acme\"}]", false, false},
		{SHOP(""), true, false},
		{SHOP(",\"versions\":[]"), true, false},
		{SHOP(",\"versions\":[{\"vnfSoftwareVersion\":\"2.0\"}]"), false, false},
		{SHOP(",\"versions\":[{\"vnfSoftwareVersion\":\"2.0\"},"
		      "{\"vnfSoftwareVersion\":\"2.1\"}]"),
		 true, false},
		{SHOP(",\"versions\":[{\"vnfSoftwareVersion\":\"2.1\",\"vnfdVersions\":"
		      "[\"6\",\"7\"]}]"),
		 true, false},
		{SHOP(",\"versions\":[{\"vnfSoftwareVersion\":\"2.1\",\"vnfdVersions\":"
		      "[\"6\"]}]"),
		 false, false},
		{SHOP(",\"versions\":[{\"vnfSoftwareVersion\":\"\"}]"), false, false},
		{SHOP("") ",\"vnfdIds\":[\"vnfd-1\"],\"vnfInstanceNames\":[\"web\"]", true, false},
		{SHOP("") ",\"vnfdIds\":[\"vnfd-2\"]", false, false},
		{"\"vnfdIds\":[\"vnfd-1\"],\"vnfInstanceNames\":[\"db\"]", false, false},
	};
	struct gm_transition raise = transition(GM_TRANSITION_RAISE, GM_SEVERITY_MINOR);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char text[1024];
		struct gm_subscription subscription;
		snprintf(text, sizeof(text), INSTANCES("{%s}"), cases[i].instances);
		assert_int_equal(parse(text, &subscription, NULL), 0);
		struct gm_vnffm_view knows = view;
		knows.identify = identify;
		knows.user = &shop;
		if (gm_subscription_wants(&subscription, &knows, &raise) != cases[i].shop)
			fail_msg("%s", text);
		knows.user = &bare;
		if (gm_subscription_wants(&subscription, &knows, &raise) != cases[i].bare)
			fail_msg("%s, of whom less is known", text);
		assert_false(gm_subscription_wants(&subscription, &view, &raise));
		gm_subscription_free(&subscription);
	}
}

static void test_what_is_shown_holds_no_secret(void **state)
{
	(void)state;
	struct gm_subscription one, other;
	struct gm_buffer text = GM_BUFFER_INIT(4096);
	static const char request[] =
		"{\"callbackUri\":\"http://a/b\",\"filter\":{\"eventTypes\":[\"QOS_ALARM\"]},"
		"\"authentication\":{\"authType\":[\"BASIC\"],\"paramsBasic\":{\"userName\":\"u\","
		"\"password\":\"topsecret\"}}}";
	assert_int_equal(parse(request, &one, NULL), 0);
	assert_int_equal(parse(request, &other, NULL), 0);
	assert_int_equal(one.target.scheme, GM_CALLBACK_BASIC);
	assert_string_equal(one.target.secret, "topsecret");
	assert_true(gm_subscription_equal(&one, &other));
	struct gm_json *shown = gm_subscription_show(&one, view.url);
	assert_int_equal(gm_json_write(shown, 0, &text), 0);
	assert_null(strstr(text.data, "topsecret"));
	assert_non_null(strstr(text.data, "\"callbackUri\":\"http://a/b\""));
	gm_json_free(shown);
	gm_subscription_free(&other);
	assert_int_equal(parse("{\"callbackUri\":\"http://a/b\"}", &other, NULL), 0);
	assert_false(gm_subscription_equal(&one, &other));
	gm_subscription_free(&one);
	gm_subscription_free(&other);
	gm_buffer_free(&text);
}

static void test_registrations(void **state)
{
	(void)state;
	static const struct {
		const char *text, *says; /* says NULL: accepted */
	} cases[] = {
		{"{\"fault_action\":\"https://a/b\",\"fault_id\":\"1234\"}", NULL},
		{"{\"fault_action\":\"https://a/b\",\"fault_id\":\"\"}", "fault_id"},
		{"{\"fault_action\":\"https://a/b\",\"fault_id\":1234}", "fault_id"},
		{"{\"fault_action\":\"https://\",\"fault_id\":\"1234\"}", "fault_action"},
		{"{\"fault_action\":[],\"fault_id\":\"1234\"}", "fault_action"},
		{"[]", "fault_action"},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct gm_registration registration;
		struct gm_error err = {.text = ""};
		struct gm_json *request;
		assert_int_equal(
			gm_json_parse(cases[i].text, strlen(cases[i].text), &request, NULL), 0);
		int result = gm_registration_parse(request, &registration, &err);
		gm_json_free(request);
		assert_int_equal(result, cases[i].says ? -EINVAL : 0);
		if (cases[i].says && !strstr(err.text, cases[i].says))
			fail_msg("%s: %s", cases[i].text, err.text);
		assert_int_equal(registration.called_for, 0);
	}
}

/* ---- kept from before, and no longer allowed ---- */

struct told {
	unsigned count;
	enum gm_verdict_kind kind;
	char reason[128];
};

static void on_done(void *user, uint64_t ticket, const struct gm_verdict *verdict)
{
	struct told *told = user;
	assert_int_equal(ticket, 7);
	told->count++;
	told->kind = verdict->kind;
	snprintf(told->reason, sizeof(told->reason), "%s", verdict->reason ? verdict->reason : "");
}

/* Without an HTTP client: nothing may come that far. */
static void send_to(const struct gm_output_ops *ops, const void *options, struct told *told)
{
	const struct gm_output_host host = {
		.node = "node1", .name = "x", .done = on_done, .user = told};
	struct gm_transition transition;
	struct gm_message message = gm_test_message(&transition);
	struct gm_output *output;
	transition.kind = GM_TRANSITION_RAISE;
	*told = (struct told){.count = 0};
	assert_int_equal(ops->create(options, &host, &output, NULL), 0);
	ops->send(output, &message, 7);
	ops->close(output);
	assert_int_equal(told->count, 1);
}

static void test_forbidden_targets(void **state)
{
	(void)state;
	struct gm_subscription all, none;
	struct gm_transition transition;
	struct gm_registration registration = {.id = "r", .target.url = "http://192.0.2.1/x"};
	const struct gm_healer_options all_severities = {.severity = 4};
	struct told told;
	assert_int_equal(parse("{\"callbackUri\":\"http://192.0.2.1/x\"}", &all, NULL), 0);
	assert_int_equal(parse("{\"callbackUri\":\"http://192.0.2.1/x\",\"filter\":"
			       "{\"notificationTypes\":[\"AlarmListRebuiltNotification\"]}}",
			       &none, NULL),
			 0);
	send_to(&gm_notifier_ops,
		&(struct gm_notifier_options){
			.subscription = &all, .view = view, .forbidden = "callbackUri"},
		&told);
	assert_int_equal(told.kind, GM_VERDICT_RETRY);
	assert_string_equal(told.reason,
			    "callbackUri is not among those that api.callbacks allows");
	send_to(&gm_notifier_ops, /* what it does not want is done with */
		&(struct gm_notifier_options){
			.subscription = &none, .view = view, .forbidden = "callbackUri"},
		&told);
	assert_int_equal(told.kind, GM_VERDICT_DELIVERED);
	gm_test_message(&transition);
	gm_uuid_text(transition.alarm.guest, registration.server);
	gm_text_copy(registration.tenant, sizeof(registration.tenant),
		     transition.alarm.project_uuid);
	send_to(&gm_healer_ops,
		&(struct gm_healer_setup){.registration = &registration,
					  .options = &all_severities,
					  .forbidden = true},
		&told);
	assert_int_equal(told.kind, GM_VERDICT_REFUSED);
	assert_int_equal(registration.called_for, 0);
	gm_subscription_free(&all);
	gm_subscription_free(&none);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_filters_that_are_none),
		cmocka_unit_test(test_old_filters_are_mended),
		cmocka_unit_test(test_forbidden_targets),
		cmocka_unit_test(test_wants),
		cmocka_unit_test(test_registrations),
		cmocka_unit_test(test_filters_by_product),
		cmocka_unit_test(test_what_is_shown_holds_no_secret),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
