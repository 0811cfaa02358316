# SPDX-License-Identifier: Apache-2.0
"""Keystone, Aodh, Gnocchi, PostgreSQL and RabbitMQ as processes of ours on loopback; see `openstack`.

What is odd here, and why:
- Keystone and Aodh share SQLite files between processes, which fails under the default journal: WAL.
- keystonemiddleware re-uses connections that uwsgi closes: every answer says "Connection: close".
- The middleware reads /etc/PROJECT unless its section of api-paste.ini names a file.
- Validated tokens are cached for 300 s by default, so that a revoked one stays good: 5 s, where that is tested.
- The listener caches a project's alarms for 60 s by default: no cache.
- Gnocchi's index works on PostgreSQL or MySQL alone."""

import base64
import json
import os
import shutil
import signal
import socket
import sqlite3
import subprocess
import threading
import time
import urllib.error
import urllib.request

PORTS = {"keystone": 15000, "aodh": 18042, "gnocchi": 18041, "postgres": 15432, "rabbit": 15672,
         "rabbit-dist": 15673, "epmd": 14369}
# Endpoints of the interface `internal`: where a test puts something between the client and the service.
PROXIES = {"keystone": 25000, "aodh": 28042, "gnocchi": 28041}
PACKAGES = "/usr/lib/python3/dist-packages"
PATH = "/usr/sbin:/usr/bin:/sbin:/bin"
TOOLS = ["keystone-manage", "keystone-wsgi-public", "aodh-api", "aodh-dbsync", "uwsgi"]
TOOLS_GNOCCHI = ["gnocchi-api", "gnocchi-upgrade"]
TOOLS_RABBIT = ["rabbitmqctl", "aodh-listener", "aodh-notifier"]
START = 120  # seconds that a service may take on a busy machine


def url(service):
    return f"http://127.0.0.1:{PORTS[service]}"


def transport():
    return f"rabbit://guest:guest@127.0.0.1:{PORTS['rabbit']}/"


def database(name):
    return f"postgresql+psycopg2://gnocchi@127.0.0.1:{PORTS['postgres']}/{name}"


def on_postgres(program, *words):
    """The command of one of PostgreSQL's clients."""
    return [program, "-h", "127.0.0.1", "-p", str(PORTS["postgres"]), "-U", "gnocchi", *words]


def call(method, address, body=None, token=None, headers=None, timeout=60):
    """(status, headers, decoded body); no exception for a status that is an error."""
    request = urllib.request.Request(address, method=method, headers={
        "Content-Type": "application/json", "Accept": "application/json",
        **({"X-Auth-Token": token} if token else {}), **(headers or {})},
        data=None if body is None else json.dumps(body).encode())
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(request, timeout=timeout) as answer:
            status, got, text = answer.status, answer.headers, answer.read()
    except urllib.error.HTTPError as error:
        status, got, text = error.code, error.headers, error.read()
    try:
        return status, got, json.loads(text) if text else None
    except ValueError:
        return status, got, text.decode(errors="replace")


def password_auth(user, password, project):
    return {"auth": {"identity": {"methods": ["password"], "password": {"user": {
        "name": user, "domain": {"id": "default"}, "password": password}}},
        "scope": {"project": {"name": project, "domain": {"id": "default"}}}}}


def at_once(chains):
    """Lists of steps beside each other, the steps of each in turn. Raises the first failure when all have ended."""
    failures = []

    def follow(chain):
        try:
            for step in chain:
                step()
        except Exception as failure:  # told by the main thread  pylint: disable=broad-except
            failures.append(failure)

    threads = [threading.Thread(target=follow, args=(chain,)) for chain in chains]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise failures[0]


class Stack:
    """The services of one state directory."""

    def __init__(self, state, token_seconds=3600, workers=1):
        """`workers`: of Aodh's API; several of them share a database in PostgreSQL, for SQLite's has one writer."""
        self.state, self.token_seconds, self.workers = state, token_seconds, workers
        self.facts, self.parts, self.children = {}, [], {}

    # -- paths, files and processes

    def path(self, *parts):
        return os.path.join(self.state, *parts)

    def write(self, name, text):
        os.makedirs(os.path.dirname(self.path(name)), exist_ok=True)
        with open(self.path(name), "w", encoding="utf-8") as file:
            file.write(text)

    def environment(self, **more):
        return {"PATH": PATH, "LC_ALL": "C.UTF-8", "HOME": self.state, "PYTHONWARNINGS": "ignore", **more}

    def log(self, name):
        return open(self.path("log", name + ".out"), "ab")

    def run(self, name, *command, user=None):
        prefix = ["runuser", "-u", user, "--"] if user else []
        with self.log(name) as log:
            result = subprocess.run([*prefix, *command], env=self.environment(), stdin=subprocess.DEVNULL,
                                    stdout=log, stderr=log, timeout=START, check=False, cwd="/")
        if result.returncode != 0:
            with open(self.path("log", name + ".out"), encoding="utf-8", errors="replace") as file:
                raise RuntimeError(f"{name}: {' '.join(command)} ended with {result.returncode}:\n"
                                   + file.read()[-2000:])

    def spawn(self, name, command, **environment):
        """Starts a daemon that stays in the foreground, in a session of its own."""
        with self.log(name) as log:
            child = subprocess.Popen(command, env=self.environment(**environment), stdin=subprocess.DEVNULL,
                                     stdout=log, stderr=log, start_new_session=True, cwd="/")
        self.children[name] = child
        self.write(f"run/{name}.pid", f"{child.pid}\n")

    def pid(self, name):
        try:
            with open(self.path("run", name + ".pid"), encoding="ascii") as file:
                return int(file.read())
        except (OSError, ValueError):
            return 0

    def kill(self, name, number):
        """To the service's whole session: uwsgi has a master and a worker."""
        try:
            os.killpg(self.pid(name), number)
            return True
        except (ProcessLookupError, PermissionError):
            return False

    def stop(self, name, number=signal.SIGKILL):
        if self.pid(name) and self.kill(name, number):
            self.kill(name, signal.SIGCONT)
            deadline = time.monotonic() + 20
            while self.alive(name):
                if time.monotonic() > deadline:
                    self.kill(name, signal.SIGKILL)
                time.sleep(0.05)
        if os.path.exists(self.path("run", name + ".pid")):
            os.remove(self.path("run", name + ".pid"))

    def alive(self, name):
        if name in self.children:
            return self.children[name].poll() is None
        return self.kill(name, 0)

    def await_port(self, name, port):
        deadline = time.monotonic() + START
        while True:
            try:
                socket.create_connection(("127.0.0.1", port), timeout=1).close()
                return
            except OSError:
                if not self.alive(name) or time.monotonic() > deadline:
                    raise RuntimeError(f"{name} does not listen; see {self.path('log')}") from None
                time.sleep(0.1)

    def await_http(self, name, address):
        deadline = time.monotonic() + START
        while True:
            try:
                if call("GET", address, timeout=10)[0]:
                    return
            except OSError:
                if not self.alive(name) or time.monotonic() > deadline:
                    raise RuntimeError(f"{name} does not answer; see {self.path('log')}") from None
                time.sleep(0.1)

    def uwsgi(self, name, script, *arguments, **environment):
        self.spawn(name, ["/usr/bin/uwsgi", "--plugin", "python3", "--http-socket",
                          f"127.0.0.1:{PORTS[name]}", "--wsgi-file", script,
                          *(("--pyargv", " ".join(arguments)) if arguments else ()),
                          "--master", "--processes", str(self.workers if name == "aodh" else 1), "--enable-threads", "--lazy-apps", "--need-app",
                          "--die-on-term", "--buffer-size", "65535", "--listen", "100",
                          "--add-header", "Connection: close"], **environment)
        self.await_http(name, url(name))

    def create_database(self, service, name):
        self.run(service + "-db", *on_postgres("createdb", name))

    def wal(self, file):
        sqlite3.connect(self.path(file)).execute("PRAGMA journal_mode=WAL").close()

    # -- Keystone

    def configure_keystone(self):
        self.write("keystone/keystone.conf", f"""[DEFAULT]
log_file = {self.path("log/keystone.log")}
use_stderr = false
[database]
connection = sqlite:///{self.path("keystone/keystone.db")}
[token]
provider = fernet
expiration = {self.token_seconds}
allow_expired_window = 0
[fernet_tokens]
key_repository = {self.path("keystone/fernet-keys")}
[fernet_receipts]
key_repository = {self.path("keystone/fernet-keys")}
[credential]
key_repository = {self.path("keystone/credential-keys")}
[identity]
password_hash_rounds = 4
""")

    def make_keystone(self):
        for folder in ("fernet-keys", "credential-keys"):
            os.makedirs(self.path("keystone", folder), mode=0o700)
            for key in ("0", "1"):
                self.write(f"keystone/{folder}/{key}",
                           base64.urlsafe_b64encode(os.urandom(32)).decode())
                os.chmod(self.path("keystone", folder, key), 0o600)
        manage = ["keystone-manage", "--config-file", self.path("keystone/keystone.conf")]
        self.run("keystone-db", *manage, "db_sync")
        self.wal("keystone/keystone.db")
        self.run("keystone-bootstrap", *manage, "bootstrap", "--bootstrap-username", "admin",
                 "--bootstrap-password", "adminpw", "--bootstrap-project-name", "admin",
                 "--bootstrap-role-name", "admin", "--bootstrap-service-name", "keystone",
                 "--bootstrap-region-id", "RegionOne", "--bootstrap-public-url", url("keystone") + "/v3")

    def start_keystone(self):
        self.configure_keystone()
        if not os.path.exists(self.path("keystone/keystone.db")):
            self.make_keystone()
        self.uwsgi("keystone", "/usr/bin/keystone-wsgi-public",
                   OS_KEYSTONE_CONFIG_FILES=self.path("keystone/keystone.conf"))

    def token(self, user="admin", password="adminpw", project="admin"):
        status, headers, body = call("POST", url("keystone") + "/v3/auth/tokens",
                                     password_auth(user, password, project))
        if status != 201:
            raise RuntimeError(f"no token for {user}: {status} {body}")
        return headers["X-Subject-Token"]

    def identity(self, token, method, path, body=None):
        status, _, answer = call(method, url("keystone") + "/v3" + path, body, token)
        if status >= 300:
            raise RuntimeError(f"{method} {path}: {status} {answer}")
        return answer

    def seed(self):
        """The services' users, the agent (a member of the project telco), a tenant, the catalog."""
        admin = self.token()

        def make(kind, **what):
            plural = {"policy": "policies"}.get(kind, kind + "s")
            return self.identity(admin, "POST", "/" + plural, {kind: what})[kind]["id"]

        def grant(project, user, role):
            self.identity(admin, "PUT", f"/projects/{project}/users/{user}/roles/{roles[role]}")

        roles = {role["name"]: role["id"] for role in self.identity(admin, "GET", "/roles")["roles"]}
        service = make("project", name="service", domain_id="default")
        telco = make("project", name="telco", domain_id="default")
        tenant = make("project", name="tenant", domain_id="default")
        for name in ("aodh", "gnocchi"):
            grant(service, make("user", name=name, password="svcpw", domain_id="default"), "admin")
        agent = make("user", name="agent", password="agentpw", domain_id="default")
        grant(telco, agent, "member")
        for kind, name in (("alarming", "aodh"), ("metric", "gnocchi")):
            identity = make("service", type=kind, name=name)
            for interface, address in (("public", url(name)),
                                       ("internal", f"http://127.0.0.1:{PROXIES[name]}")):
                make("endpoint", service_id=identity, interface=interface, region_id="RegionOne", url=address)
        own = self.token("agent", "agentpw", "telco")
        credential = self.identity(own, "POST", f"/users/{agent}/application_credentials", {
            "application_credential": {"name": "guestmon", "secret": "s3cr3t-of-the-agent"}})
        self.facts.update(AGENT_ID=agent, PROJECT_ID=telco, TENANT_ID=tenant,
                          CREDENTIAL_ID=credential["application_credential"]["id"],
                          CREDENTIAL_SECRET="s3cr3t-of-the-agent")

    def make_administrator(self, name, password):
        """A user who may do everything, in the project service."""
        admin = self.token()
        ids = {kind: {row["name"]: row["id"] for row in self.identity(admin, "GET", "/" + kind)[kind]}
               for kind in ("roles", "projects")}
        user = self.identity(admin, "POST", "/users", {"user": {
            "name": name, "password": password, "domain_id": "default"}})["user"]["id"]
        self.identity(admin, "PUT", f"/projects/{ids['projects']['service']}/users/{user}/roles/{ids['roles']['admin']}")

    def enlist(self, kinds):
        """name → (type, path below its port): users and catalog entries of services; one that PROXIES names has an
        endpoint of the interface `internal`, too."""
        admin = self.token()
        for name, (kind, path) in kinds.items():
            self.make_administrator(name, "svcpw")
            service = self.identity(admin, "POST", "/services", {"service": {"type": kind, "name": name}})
            for interface, port in (("public", PORTS[name]), ("internal", PROXIES.get(name))):
                if port:
                    self.identity(admin, "POST", "/endpoints", {"endpoint": {
                        "service_id": service["service"]["id"], "interface": interface, "region_id": "RegionOne",
                        "url": f"http://127.0.0.1:{port}{path}"}})

    # -- Aodh and Gnocchi

    def authtoken(self, user, section="keystone_authtoken", cache=5):
        """`cache`: seconds for which a token stays good."""
        return f"""[{section}]
auth_url = {url("keystone")}
auth_type = password
project_domain_id = default
user_domain_id = default
project_name = service
username = {user}
password = svcpw
region_name = RegionOne
interface = public
""" + (f"www_authenticate_uri = {url('keystone')}\ntoken_cache_time = {cache}\n"
            if section == "keystone_authtoken" else "")

    def paste(self, project):
        with open(f"{PACKAGES}/{project}/{'rest' if project == 'gnocchi' else 'api'}/api-paste.ini",
                  encoding="utf-8") as file:
            text = file.read()
        named = f"oslo_config_project = {project}"
        self.write(f"{project}/api-paste.ini", text.replace(
            named, f"{named}\noslo_config_file = {self.path(project, project + '.conf')}"))

    def aodh_database(self):
        return f"sqlite:///{self.path('aodh/aodh.db')}" if self.workers == 1 else database("aodh")

    def configure_aodh(self):
        bus = transport() if "rabbit" in self.parts else "fake://"
        self.paste("aodh")
        self.write("aodh/aodh.conf", f"""[DEFAULT]
transport_url = {bus}
log_file = {self.path("log/aodh.log")}
use_stderr = false
event_alarm_cache_ttl = 0
[api]
auth_mode = keystone
paste_config = {self.path("aodh/api-paste.ini")}
alarm_max_actions = 10
project_alarm_quota = 5000
user_alarm_quota = 5000
[database]
connection = {self.aodh_database()}
[oslo_messaging_notifications]
driver = noop
""" + self.authtoken("aodh") + self.authtoken("aodh", "service_credentials"))

    def start_aodh(self):
        self.configure_aodh()
        if not os.path.exists(self.path("aodh/made")):
            if self.workers > 1:
                self.create_database("aodh", "aodh")
            self.run("aodh-db", "aodh-dbsync", "--config-file", self.path("aodh/aodh.conf"))
            if self.workers == 1:
                self.wal("aodh/aodh.db")
            self.write("aodh/made", "")
        self.uwsgi("aodh", "/usr/bin/aodh-api", "--config-file", self.path("aodh/aodh.conf"))

    def start_postgres(self):
        programs = max((f"/usr/lib/postgresql/{version}/bin" for version in
                        os.listdir("/usr/lib/postgresql")), default="")
        if not os.path.isdir(self.path("postgres/data")):
            os.makedirs(self.path("postgres"), mode=0o700)
            shutil.chown(self.path("postgres"), "postgres", "postgres")
            self.run("initdb", programs + "/initdb", "-D", self.path("postgres/data"), "-A", "trust",
                     "-U", "gnocchi", "--no-sync", "-E", "UTF8", "--locale=C.UTF-8", user="postgres")
        self.spawn("postgres", ["setpriv", "--reuid=postgres", "--regid=postgres", "--init-groups",
                                programs + "/postgres", "-D", self.path("postgres/data"),
                                "-c", "listen_addresses=127.0.0.1", "-p", str(PORTS["postgres"]),
                                "-c", f"unix_socket_directories={self.path('postgres')}",
                                "-c", "fsync=off", "-c", "full_page_writes=off", "-c", "shared_buffers=16MB"])
        self.await_port("postgres", PORTS["postgres"])
        ready = [programs + "/pg_isready", "-q", "-h", "127.0.0.1", "-p", str(PORTS["postgres"])]
        deadline = time.monotonic() + START
        while subprocess.run(ready, check=False).returncode != 0 and time.monotonic() < deadline:
            time.sleep(0.1)

    def start_gnocchi(self):
        self.paste("gnocchi")
        self.write("gnocchi/gnocchi.conf", f"""[DEFAULT]
log_file = {self.path("log/gnocchi.log")}
parallel_operations = 2
coordination_url = file://{self.path("gnocchi/coordination")}
[indexer]
url = {database("postgres")}
[storage]
driver = file
file_basepath = {self.path("gnocchi/storage")}
[incoming]
driver = file
file_basepath = {self.path("gnocchi/storage")}
[api]
auth_mode = keystone
paste_config = {self.path("gnocchi/api-paste.ini")}
""" + self.authtoken("gnocchi"))
        os.makedirs(self.path("gnocchi/storage"), exist_ok=True)
        self.run("gnocchi-upgrade", "gnocchi-upgrade", "--config-file", self.path("gnocchi/gnocchi.conf"),
                 "--sacks-number", "4")
        self.uwsgi("gnocchi", "/usr/bin/gnocchi-api", "--config-file", self.path("gnocchi/gnocchi.conf"))

    # -- RabbitMQ, with Aodh's listener and notifier

    def rabbit_environment(self):
        home = self.path("rabbit")
        return {"PATH": "/usr/lib/rabbitmq/bin:" + PATH, "LANG": "C.UTF-8", "HOME": home,
                "RABBITMQ_CONF_ENV_FILE": home + "/env.conf", "RABBITMQ_NODENAME": "guestmon@localhost",
                "RABBITMQ_NODE_PORT": str(PORTS["rabbit"]), "RABBITMQ_NODE_IP_ADDRESS": "127.0.0.1",
                "RABBITMQ_MNESIA_BASE": home + "/mnesia", "RABBITMQ_LOG_BASE": home + "/log",
                "RABBITMQ_CONFIG_FILE": home + "/rabbitmq.conf", "RABBITMQ_PID_FILE": home + "/pid",
                "RABBITMQ_ENABLED_PLUGINS_FILE": home + "/enabled_plugins",
                "RABBITMQ_DIST_PORT": str(PORTS["rabbit-dist"]), "ERL_EPMD_ADDRESS": "127.0.0.1",
                "ERL_EPMD_PORT": str(PORTS["epmd"]),
                "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "-kernel inet_dist_use_interface {127,0,0,1}"}

    def start_rabbit(self):
        for folder in ("mnesia", "log"):
            os.makedirs(self.path("rabbit", folder), exist_ok=True)
        self.write("rabbit/env.conf", "")
        self.write("rabbit/enabled_plugins", "[].")
        self.write("rabbit/rabbitmq.conf", f"listeners.tcp.1 = 127.0.0.1:{PORTS['rabbit']}\n"
                   "vm_memory_high_watermark.absolute = 512MB\ndisk_free_limit.absolute = 50MB\n")
        self.run("rabbit-owner", "chown", "-R", "rabbitmq:rabbitmq", self.path("rabbit"))
        as_rabbit = ["setpriv", "--reuid=rabbitmq", "--regid=rabbitmq", "--init-groups"]
        self.spawn("epmd", [*as_rabbit, "epmd", "-address", "127.0.0.1", "-port", str(PORTS["epmd"])],
                   **self.rabbit_environment())
        self.spawn("rabbit", [*as_rabbit, "/usr/lib/rabbitmq/bin/rabbitmq-server"],
                   **self.rabbit_environment())
        self.await_port("rabbit", PORTS["rabbit"])

    def start_consumers(self):
        for name in ("listener", "notifier"):
            self.spawn("aodh-" + name, ["aodh-" + name, "--config-file", self.path("aodh/aodh.conf"),
                                        "--log-file", self.path(f"log/aodh-{name}.log")])
        self.await_consumers("alarm.all.sample", "alarming.sample")

    def await_consumers(self, *names):
        """Of these queues: what is sent to one that is not there is lost."""
        deadline = time.monotonic() + START
        while time.monotonic() < deadline:
            queues = subprocess.run(
                ["setpriv", "--reuid=rabbitmq", "--regid=rabbitmq", "--init-groups",
                 "/usr/lib/rabbitmq/bin/rabbitmqctl", "-q", "list_queues", "name", "consumers"],
                env=self.rabbit_environment(), capture_output=True, text=True, check=False, cwd="/").stdout
            if {line.split("\t")[0] for line in queues.splitlines() if line.endswith("\t1")} >= set(names):
                return
            time.sleep(0.3)
        raise RuntimeError(f"not all of these queues are consumed: {names}")

    # -- all of it

    def missing(self, parts=()):
        """The programs that are not installed, of those that are needed."""
        wanted = TOOLS + (TOOLS_GNOCCHI if "gnocchi" in parts else []) + \
            (TOOLS_RABBIT if "rabbit" in parts else [])
        return [tool for tool in wanted if not shutil.which(tool, path=PATH)] + \
            (["postgresql"] if "gnocchi" in parts and not os.path.isdir("/usr/lib/postgresql") else [])

    def up(self, parts=()):
        self.parts = list(parts)
        for folder in ("log", "run"):
            os.makedirs(self.path(folder), exist_ok=True)
        os.chmod(self.state, 0o755)
        chains = [[self.start_keystone, self.seed]]
        on_postgres = [self.start_gnocchi] if "gnocchi" in parts else []
        if self.workers > 1:
            on_postgres.insert(0, self.start_aodh)
        else:
            chains.append([self.start_aodh])
        if on_postgres:
            chains.append([self.start_postgres, *on_postgres])
        if "rabbit" in parts:
            chains.append([self.start_rabbit])
        at_once(chains)
        if "rabbit" in parts:
            self.start_consumers()
        self.write("facts.json", json.dumps({**self.facts, "PARTS": self.parts}))
        self.facts.update(OS_AUTH_URL=url("keystone") + "/v3", AODH=url("aodh"), GNOCCHI=url("gnocchi"))

    def attach(self):
        """To what another process has started in this network."""
        with open(self.path("facts.json"), encoding="utf-8") as file:
            self.facts.update(json.load(file))
        self.parts = self.facts.pop("PARTS")

    def down(self):
        """Ends every process that up() has started here, by its id."""
        for name in ("aodh-listener", "aodh-notifier", "aodh", "gnocchi", "keystone", "rabbit", "epmd"):
            self.stop(name)
        self.stop("postgres", signal.SIGINT)
