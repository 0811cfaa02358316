# SPDX-License-Identifier: Apache-2.0
"""Neutron beside the services of stack.py, on PostgreSQL: there are no networks and no ports, and Nova, which asks for a
server's ports whenever it moves or deletes one, is told so.

What is odd here, and why: the tables' classes are tied to each other when first needed, which in this release is later
than a list of ports is asked for, unless some plugin comes with a query of its own: RUN ties them at once."""

import stack

PORTS = {"neutron": 19696}
stack.PORTS.update(PORTS)
KINDS = {"neutron": ("network", "")}

MAKE = "from neutron.db.migration.cli import main; main()"
RUN = """
from neutron.db.models import port_forwarding
from neutron.plugins.ml2 import models
from sqlalchemy import orm
orm.configure_mappers()
from neutron.cmd.eventlet.server import main
main()
"""

PASTE = """[composite:neutron]
use = egg:Paste#urlmap
/: versions
/v2.0: v2

[composite:v2]
use = call:neutron.auth:pipeline_factory
keystone = request_id catch_errors authtoken keystonecontext extensions app

[filter:request_id]
paste.filter_factory = oslo_middleware:RequestId.factory

[filter:catch_errors]
paste.filter_factory = oslo_middleware:CatchErrors.factory

[filter:authtoken]
paste.filter_factory = keystonemiddleware.auth_token:filter_factory

[filter:keystonecontext]
paste.filter_factory = neutron.auth:NeutronKeystoneContext.factory

[filter:extensions]
paste.filter_factory = neutron.api.extensions:plugin_aware_extension_middleware_factory

[app:versions]
paste.app_factory = neutron.pecan_wsgi.app:versions_factory

[app:app]
paste.app_factory = neutron.api.v2.router:APIRouter.factory
"""


def start(services):
    """Needs Keystone, where it is enlisted, PostgreSQL and RabbitMQ."""
    conf = services.path("neutron/neutron.conf")
    services.write("neutron/api-paste.ini", PASTE)
    services.write("neutron/neutron.conf", f"""[DEFAULT]
transport_url = {stack.transport()}
log_file = {services.path("log/neutron.log")}
use_stderr = false
state_path = {services.path("neutron")}
core_plugin = ml2
bind_host = 127.0.0.1
bind_port = {PORTS["neutron"]}
api_workers = 1
rpc_workers = 0
rpc_state_report_workers = 0
api_paste_config = {services.path("neutron/api-paste.ini")}
notify_nova_on_port_status_changes = false
notify_nova_on_port_data_changes = false
[database]
connection = {stack.database("neutron")}
[oslo_concurrency]
lock_path = {services.path("neutron")}
[ml2]
mechanism_drivers =
type_drivers = local
tenant_network_types = local
""" + services.authtoken("neutron", cache=300))
    services.create_database("neutron", "neutron")
    services.run("neutron-db", "/usr/bin/python3", "-c", MAKE, "--config-file", conf, "upgrade", "heads")
    services.spawn("neutron", ["/usr/bin/python3", "-c", RUN, "--config-file", conf])
    services.await_http("neutron", stack.url("neutron"))


def stop(services):
    services.stop("neutron")
