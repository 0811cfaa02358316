# SPDX-License-Identifier: Apache-2.0
"""Nova with Placement beside the services of stack.py: API, conductor, scheduler, and a nova-compute for each of HOSTS
with Nova's own fake driver, whose guests are entries in a table of that process. Everything above the driver is real:
policies, states, scheduling, allocations, live migration from host to host, evacuation.

What is odd here, and why:
- All programs come from the package python3-nova; those that bear their names want libvirt, iSCSI and half a node.
- The databases are PostgreSQL's, because four processes write to them. cell0's is a copy of the cell's, made while
  both are empty: half the migrations.
- There is no image service: a server's root disk is blank, and only the name of an image's URL is asked for. There
  are no networks either, but Nova does nothing without Neutron: network.py.
- A host that is killed counts as up for service_down_time. That is a minute, because a busy machine must not lose
  one that lives: who kills one forces it down, as who fences it would."""

import functools
import os
import time

import network
import stack

PORTS = {"nova": 18774, "placement": 18778}
PROXIES = {"nova": 28774}
stack.PORTS.update(PORTS)
stack.PROXIES.update(PROXIES)
HOSTS = ("compute-7", "compute-8")
KINDS = {"nova": ("compute", "/v2.1"), "placement": ("placement", "")}
MODULES = ["neutron", "nova", "placement"]
NAMES = ("nova", "nova-conductor", "nova-scheduler", *HOSTS, "placement")
FLAVOR = "1"
VERSION = "2.53"  # of Nova's API, for what tests ask themselves

MAKE = """
import subprocess
import sys
from nova import config, context, objects
from nova.db import migration
from nova.db.main import api as main_db
transport, url, *create = sys.argv[3:]
config.parse_args(["make", *(word for file in sys.argv[1:3] for word in ("--config-file", file))])
objects.register_all()
migration.db_sync(database="main")
main_db.get_engine().dispose()
subprocess.run(create, check=True)
migration.db_sync(database="api")
for uuid, place, bus in ((objects.CellMapping.CELL0_UUID, url + "_cell0", "none:///"),
                         ("0c000000-0000-4000-8000-00000000000c", url, transport)):
    objects.CellMapping(context.get_admin_context(), uuid=uuid, name="cell", transport_url=bus,
                        database_connection=place).create()
"""

PASTE = """[composite:osapi_compute]
use = call:nova.api.openstack.urlmap:urlmap_factory
/: versions
/v2.1: v21

[composite:v21]
use = call:nova.api.auth:pipeline_factory_v21
keystone = compute_req_id faultwrap request_log sizelimit authtoken keystonecontext app

[filter:compute_req_id]
paste.filter_factory = nova.api.compute_req_id:ComputeReqIdMiddleware.factory

[filter:faultwrap]
paste.filter_factory = nova.api.openstack:FaultWrapper.factory

[filter:request_log]
paste.filter_factory = nova.api.openstack.requestlog:RequestLog.factory

[filter:sizelimit]
paste.filter_factory = oslo_middleware:RequestBodySizeLimiter.factory

[filter:authtoken]
paste.filter_factory = keystonemiddleware.auth_token:filter_factory

[filter:keystonecontext]
paste.filter_factory = nova.api.auth:NovaKeystoneContext.factory

[app:app]
paste.app_factory = nova.api.openstack.compute:APIRouterV21.factory

[pipeline:versions]
pipeline = faultwrap versionsapp

[app:versionsapp]
paste.app_factory = nova.api.openstack.compute.versions:Versions.factory
"""


def configure(services):
    clients = "".join(services.authtoken(name, name).replace("interface =", "valid_interfaces =")
                      for name in ("placement", "neutron"))
    services.write("nova/api-paste.ini", PASTE)
    services.write("nova/nova.conf", f"""[DEFAULT]
transport_url = {stack.transport()}
log_dir = {services.path("log")}
use_stderr = false
state_path = {services.path("nova")}
my_ip = 127.0.0.1
compute_driver = fake.FakeDriver
report_interval = 5
periodic_fuzzy_delay = 0
sync_power_state_interval = -1
osapi_compute_listen = 127.0.0.1
osapi_compute_listen_port = {PORTS["nova"]}
osapi_compute_workers = 1
[wsgi]
api_paste_config = {services.path("nova/api-paste.ini")}
[oslo_concurrency]
lock_path = {services.path("nova")}
[oslo_messaging_notifications]
driver = noop
[conductor]
workers = 1
[scheduler]
workers = 1
discover_hosts_in_cells_interval = 1
[filter_scheduler]
enabled_filters = ComputeFilter
track_instance_changes = false
[vnc]
enabled = false
[glance]
endpoint_override = http://127.0.0.1:9
""" + clients + services.authtoken("nova", cache=300))
    services.write("nova/databases.conf", f"""[api_database]
connection = {stack.database("nova_api")}
[database]
connection = {stack.database("nova")}
""")
    for host in HOSTS:
        services.write(f"nova/{host}.conf", f"[DEFAULT]\nhost = {host}\n")
    services.write("placement/placement.conf", f"""[DEFAULT]
log_file = {services.path("log/placement.log")}
use_stderr = false
[placement_database]
connection = {stack.database("placement")}
sync_on_startup = true
""" + services.authtoken("placement", cache=300))


def make(services):
    for name in ("nova", "nova_api"):
        services.create_database("nova", name)
    services.run("nova-db", "/usr/bin/python3", "-c", MAKE, services.path("nova/nova.conf"),
                 services.path("nova/databases.conf"), stack.transport(), stack.database("nova"),
                 *stack.on_postgres("createdb", "-T", "nova", "nova_cell0"))


def start_placement(services):
    services.create_database("placement", "placement")
    services.uwsgi("placement", "/usr/bin/placement-api", OS_PLACEMENT_CONFIG_DIR=services.path("placement"))


def spawn(services, name, program, configuration="databases.conf"):
    """No databases for who has a file of its own: a host reaches them by the conductor alone."""
    services.spawn(name, ["/usr/bin/python3", "-c", f"from nova.cmd.{program} import main; main()",
                          *(word for file in ("nova.conf", configuration)
                            for word in ("--config-file", services.path("nova", file))),
                          "--log-file", name + ".log"])


def start_host(services, host):
    spawn(services, host, "compute", host + ".conf")


def start_nova(services):
    spawn(services, "nova-conductor", "conductor")
    spawn(services, "nova-scheduler", "scheduler")
    spawn(services, "nova", "api_os_compute")
    for host in HOSTS:
        start_host(services, host)
    services.await_http("nova", stack.url("nova"))


def start(services):
    """Needs Keystone, PostgreSQL and RabbitMQ. Returns when servers can be made on all hosts."""
    configure(services)
    services.enlist({**KINDS, **network.KINDS})
    stack.at_once([[functools.partial(step, services) for step in steps]
                   for steps in ((make, start_nova), (start_placement, network.start))])
    stack.at_once([[functools.partial(services.await_consumers, "conductor", "scheduler",
                                      *(f"compute.{host}" for host in HOSTS))],
                   [functools.partial(await_hosts, services)]])
    ask(services, "POST", "/flavors", {"flavor": {"name": "tiny", "id": FLAVOR, "ram": 64, "vcpus": 1, "disk": 1}})


def ask(services, method, path, body=None, token=None, version=VERSION):
    """The answer of Nova's API, asked by an administrator unless another's token is given; with its status where that
    is an error."""
    status, _, answer = stack.call(method, stack.url("nova") + "/v2.1" + path, body, token or administrator(services),
                                   {"X-OpenStack-Nova-API-Version": version})
    return (status, answer) if status >= 300 else answer


@functools.lru_cache
def administrator(services):
    """A token, for as long as tests take."""
    return services.token()


def await_hosts(services):
    deadline = time.monotonic() + stack.START
    while time.monotonic() < deadline:
        answer = ask(services, "GET", "/os-hypervisors")
        if isinstance(answer, dict) and {row["hypervisor_hostname"] for row in answer["hypervisors"]} >= set(HOSTS):
            return
        time.sleep(0.2)
    raise RuntimeError(f"Nova does not know its hosts; see {services.path('log')}")


def fence(services, host):
    """It ends without a word, and who ended it says so."""
    services.stop(host)
    service(services, host, forced_down=True)


def service(services, host, **change):
    """The row of a host's compute service, after a change."""
    row = ask(services, "GET", f"/os-services?host={host}&binary=nova-compute")["services"][0]
    return ask(services, "PUT", "/os-services/" + row["id"], change)["service"] if change else row


def stop(services):
    for name in NAMES:
        services.stop(name)
    network.stop(services)


def missing():
    return [name for name in MODULES if not os.path.isdir(os.path.join(stack.PACKAGES, name))]
