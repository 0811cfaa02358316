# SPDX-License-Identifier: Apache-2.0
"""A Zabbix of its own: PostgreSQL, the frontend's API under php's own web server, zabbix_server, all on ports of
the loopback and in one directory. What Debian ships is used as it is; of its data only what a fresh installation
needs, without the 200 shipped templates, whose loading takes minutes."""

import gzip
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import urllib.request

from rig import _die_with_parent, free_port, wait_until

SQL = pathlib.Path("/usr/share/zabbix-server-pgsql")
FRONTEND = pathlib.Path("/usr/share/zabbix")
NEEDED = ("role", "role_rule", "users", "usrgrp", "users_groups", "config", "hstgrp", "dbversion", "regexps", "expressions",
          "config_autoreg_tls", "globalmacro", "graph_theme")
CONFIG = """<?php
$DB['TYPE'] = 'POSTGRESQL'; $DB['SERVER'] = '127.0.0.1'; $DB['PORT'] = '%d'; $DB['DATABASE'] = 'postgres';
$DB['USER'] = 'zabbix'; $DB['PASSWORD'] = ''; $DB['SCHEMA'] = ''; $DB['ENCRYPTION'] = false;
$DB['KEY_FILE'] = ''; $DB['CERT_FILE'] = ''; $DB['CA_FILE'] = ''; $DB['VERIFY_HOST'] = false; $DB['CIPHER_LIST'] = '';
$DB['VAULT_URL'] = ''; $DB['VAULT_DB_PATH'] = ''; $DB['VAULT_TOKEN'] = ''; $DB['DOUBLE_IEEE754'] = true;
$ZBX_SERVER = '127.0.0.1'; $ZBX_SERVER_PORT = '%d'; $ZBX_SERVER_NAME = 'test'; $IMAGE_FORMAT_DEFAULT = IMAGE_FORMAT_PNG;
"""


def missing():
    """What is not installed, or cannot be done here."""
    wanted = ["zabbix_server", "php", "psql", "unshare", "setpriv"]
    names = [name for name in wanted if not shutil.which(name, path=os.environ["PATH"] + ":/usr/sbin:/sbin")]
    names += [str(path) for path in (SQL, FRONTEND, pathlib.Path("/usr/lib/postgresql")) if not path.exists()]
    return names + (["root"] if os.getuid() != 0 else [])


def is_free(port):
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


class Zabbix:
    """close() ends what was started."""

    def __init__(self, folder):
        self.folder = folder / "zabbix"
        self.folder.mkdir()
        folder.chmod(0o711)
        shutil.chown(self.folder, "postgres", "postgres")
        self.database, self.web = (free_port(socket.SOCK_STREAM) for _ in range(2))
        # zabbix_server takes no port above 32767, and the kernel gives out none below.
        self.server = next(port for port in range(20000 + os.getpid() % 10000, 32767) if is_free(port))
        self.programs = max(pathlib.Path("/usr/lib/postgresql").glob("*/bin"))
        self.processes = []
        self.token, self.number = None, 0

    def spawn(self, log, *command, **options):
        with open(self.folder / log, "ab") as stream:
            process = subprocess.Popen([str(word) for word in command], stdin=subprocess.DEVNULL, stdout=stream, stderr=stream,
                                       preexec_fn=_die_with_parent, **options)
        self.processes.append(process)
        return process

    def close(self):
        for process in reversed(self.processes):
            process.send_signal(signal.SIGINT if process is self.processes[0] else signal.SIGTERM)
            try:
                process.wait(30)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait(30)

    # ---- the parts ----

    def start_database(self):
        user = ["setpriv", "--reuid=postgres", "--regid=postgres", "--init-groups"]
        data = self.folder / "data"
        subprocess.run([*user, self.programs / "initdb", "-D", data, "-A", "trust", "-U", "zabbix", "--no-sync", "-E", "UTF8",
                        "--locale=C.UTF-8"], check=True, capture_output=True, timeout=300)
        self.spawn("postgres.log", *user, self.programs / "postgres", "-D", data, "-p", self.database,
                   *(word for option in ("listen_addresses=127.0.0.1", f"unix_socket_directories={self.folder}", "fsync=off",
                                         "synchronous_commit=off", "full_page_writes=off") for word in ("-c", option)))
        ready = [self.programs / "pg_isready", "-q", "-h", "127.0.0.1", "-p", str(self.database)]
        wait_until("PostgreSQL is ready", lambda: subprocess.run(ready, check=False).returncode == 0, 120)
        self.sql(gzip.decompress((SQL / "schema.sql.gz").read_bytes()).decode())
        chosen = re.compile(r"INSERT INTO (%s) " % "|".join(NEEDED))
        with gzip.open(SQL / "data.sql.gz", "rt", encoding="utf-8") as lines:
            self.sql("SET session_replication_role = replica;\nBEGIN;\n"
                     + "".join(line for line in lines if chosen.match(line)) + "COMMIT;\n")

    def sql(self, text):
        done = subprocess.run(["psql", "-q", "-At", "-v", "ON_ERROR_STOP=1", "-h", "127.0.0.1", "-p", str(self.database), "-U",
                               "zabbix", "postgres"], input=text, capture_output=True, text=True, check=False, timeout=300)
        if done.returncode != 0:
            raise AssertionError(done.stderr[-2000:])
        return done.stdout

    def start_frontend(self):
        """The frontend reads /etc/zabbix and nothing else: it is given one of its own, in a namespace of its own."""
        own = self.folder / "etc"
        own.mkdir()
        (own / "zabbix.conf.php").write_text(CONFIG % (self.database, self.server), "ascii")
        self.spawn("php.log", "unshare", "--mount", "sh", "-c", 'mount --bind "$1" /etc/zabbix && shift && exec "$@"', "sh", own,
                   "php", "-d", "post_max_size=16M", "-d", "max_execution_time=300", "-d", "max_input_time=300",
                   "-d", "memory_limit=512M", "-S", f"127.0.0.1:{self.web}", "-t", FRONTEND)
        wait_until("the API answers", self.answers, 60)
        self.token = self.call("user.login", username="Admin", password="zabbix")

    def start_server(self):
        path = self.folder / "zabbix_server.conf"
        settings = {"LogType": "console", "DBHost": "127.0.0.1", "DBPort": self.database, "DBName": "postgres",
                    "DBUser": "zabbix", "ListenPort": self.server, "ListenIP": "127.0.0.1", "AllowRoot": 1, "PidFile":
                    self.folder / "server.pid", "SocketDir": self.folder, "CacheUpdateFrequency": 5, "StartPollers": 4,
                    "StartPollersUnreachable": 1, "StartTrappers": 1, "StartPingers": 0, "StartDiscoverers": 0,
                    "StartHTTPPollers": 0, "StartODBCPollers": 0, "StartEscalators": 1, "StartAlerters": 1, "Timeout": 10}
        path.write_text("".join(f"{key}={value}\n" for key, value in settings.items()), "ascii")
        self.spawn("server.log", "zabbix_server", "-f", "-c", path, env={**os.environ, "PATH": os.environ["PATH"] + ":/usr/sbin"})

    # ---- the API ----

    def answers(self):
        try:
            return self.call("apiinfo.version")
        except OSError:
            return None

    def call(self, method, **parameters):
        self.number += 1
        body = {"jsonrpc": "2.0", "method": method, "params": parameters or [], "id": self.number}
        if self.token:
            body["auth"] = self.token
        request = urllib.request.Request(f"http://127.0.0.1:{self.web}/api_jsonrpc.php", json.dumps(body).encode(),
                                         {"Content-Type": "application/json-rpc"})
        with urllib.request.urlopen(request, timeout=300) as answer:
            reply = json.loads(answer.read())
        if "error" in reply:
            raise AssertionError(f"{method}: {reply['error']}")
        return reply["result"]
