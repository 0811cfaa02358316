# SPDX-License-Identifier: Apache-2.0
"""Mistral and Masakari beside the services of stack.py, on SQLite, with RabbitMQ between their parts. Mistral is one
process (API, engine, executor). Masakari's API is started alone at first; its engine, which recovers guests and
hosts, once there is a Nova (compute.py). Pacemaker, which tells it of hosts elsewhere, is not there: guestmond does.

What is odd here, and why:
- Masakari reads its configuration twice, the second time without what the environment says: it gets both.
- Mistral's migrations do not run on SQLite: the tables are made from its models.
- Debian 12's oslo.messaging copies a request's context without what it does not know, and Masakari 14's context
  does not stand that: every POST ends with 500. CONTEXT gives the copy what is missing.
- A host becomes part of a segment only if Nova knows it: without a Nova it is put into the table.
- The engine looks again after what it did not finish, every two minutes: not after what was told before it began."""

import functools
import os
import sqlite3

import stack

PORTS = {"mistral": 18989, "masakari": 15868}
ENGINE = "masakari-engine"
stack.PORTS.update(PORTS)
TOOLS = ["mistral-server", "masakari-wsgi"]
KINDS = {"mistral": ("workflowv2", "/v2"), "masakari": ("instance-ha", "/v1/%(project_id)s")}


def seed(services):
    """Their users and the catalog's entries, and the one that acts: who may tell Masakari is an administrator."""
    services.enlist(KINDS)
    services.make_administrator("healer", "healerpw")


def start_mistral(services):
    conf = services.path("mistral/mistral.conf")
    services.write("mistral/mistral.conf", f"""[DEFAULT]
transport_url = {stack.transport()}
log_file = {services.path("log/mistral.log")}
use_stderr = false
[api]
host = 127.0.0.1
port = {PORTS["mistral"]}
[database]
connection = sqlite:///{services.path("mistral/mistral.db")}
[cron_trigger]
enabled = false
[pecan]
auth_enable = true
""" + services.authtoken("mistral"))
    services.run("mistral-db", "/usr/bin/python3", "-c",
                 "import sys; from mistral import config; config.parse_args(['--config-file', sys.argv[1]]); "
                 "from mistral.db.v2 import api; api.setup_db()", conf)
    services.wal("mistral/mistral.db")
    services.spawn("mistral", ["mistral-server", "--config-file", conf, "--server", "api,engine,executor"])
    services.await_http("mistral", stack.url("mistral"))


CONTEXT = """
from masakari import context
plain = context.RequestContext.from_dict.__func__
context.RequestContext.from_dict = classmethod(
    lambda own, values, **more: plain(own, {**values, "read_deleted": values.get("read_deleted") or "no"}, **more))
"""
API = """
from masakari.cmd.api import initialize_application
application = initialize_application()
"""
RUN_ENGINE = """
from masakari.cmd.engine import main
main()
"""

PASTE = """[composite:masakari_api]
use = call:masakari.api.urlmap:urlmap_factory
/v1: v1

[composite:v1]
use = call:masakari.api.auth:pipeline_factory_v1
keystone = faultwrap authtoken context app

[filter:faultwrap]
paste.filter_factory = masakari.api.openstack:FaultWrapper.factory

[filter:authtoken]
paste.filter_factory = keystonemiddleware.auth_token:filter_factory
oslo_config_project = masakari
oslo_config_file = @CONF@

[filter:context]
paste.filter_factory = masakari.api.auth:MasakariKeystoneContext.factory

[app:app]
paste.app_factory = masakari.api.openstack.ha:APIRouterV1.factory
"""


def start_masakari(services):
    services.write("masakari/api-paste.ini", PASTE.replace("@CONF@", services.path("masakari/masakari.conf")))
    services.write("masakari/wsgi.py", CONTEXT + API)
    services.write("masakari/masakari.conf", f"""[DEFAULT]
transport_url = {stack.transport()}
log_file = {services.path("log/masakari.log")}
use_stderr = false
auth_strategy = keystone
os_privileged_user_name = masakari
os_privileged_user_password = svcpw
os_privileged_user_tenant = service
os_privileged_user_auth_url = {stack.url("keystone")}/v3
os_user_domain_name = Default
os_project_domain_name = Default
os_region_name = RegionOne
wait_period_after_service_update = 1
process_unfinished_notifications_interval = 86400
[database]
connection = sqlite:///{services.path("masakari/masakari.db")}
[oslo_messaging_notifications]
driver = noop
""" + services.authtoken("masakari"))
    services.run("masakari-db", "masakari-manage", "--config-file", services.path("masakari/masakari.conf"),
                 "db", "sync")
    services.wal("masakari/masakari.db")
    services.uwsgi("masakari", services.path("masakari/wsgi.py"),
                   "--config-file", services.path("masakari/masakari.conf"),
                   OS_MASAKARI_CONFIG_DIR=services.path("masakari"))


def start_engine(services):
    conf = services.path("masakari/masakari.conf")
    services.spawn(ENGINE, ["/usr/bin/python3", "-c", CONTEXT + RUN_ENGINE, "--config-file", conf,
                            "--log-file", services.path(f"log/{ENGINE}.log")])
    services.await_consumers("ha_engine")


def add_host(services, name):
    """A host of a segment, whether there is such a host or not."""
    with sqlite3.connect(services.path("masakari/masakari.db"), timeout=30) as base:
        base.execute("INSERT INTO failover_segments (uuid, name, service_type, recovery_method, deleted) VALUES "
                     "('0f000000-0000-4000-8000-00000000000f', 'segment', 'compute', 'auto', 0)")
        base.execute("INSERT INTO hosts (uuid, name, reserved, type, control_attributes, failover_segment_id, "
                     "on_maintenance, deleted) VALUES ('0e000000-0000-4000-8000-00000000000e', ?, 0, 'COMPUTE', 'x', "
                     "'0f000000-0000-4000-8000-00000000000f', 0, 0)", (name,))


def forget_hosts(services):
    """And what was told of them."""
    with sqlite3.connect(services.path("masakari/masakari.db"), timeout=30) as base:
        for table in ("notifications", "hosts", "failover_segments"):
            base.execute("DELETE FROM " + table)


def start(services):
    """Needs Keystone and RabbitMQ. Nothing, where they run already."""
    if services.pid("mistral"):
        return
    seed(services)
    stack.at_once([[functools.partial(step, services)] for step in (start_masakari, start_mistral)])


def stop(services):
    for name in (ENGINE, *PORTS):
        services.stop(name)


def missing():
    return [tool for tool in TOOLS if not any(os.access(f"{place}/{tool}", os.X_OK)
                                              for place in stack.PATH.split(":"))]
