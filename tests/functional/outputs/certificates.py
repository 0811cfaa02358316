# SPDX-License-Identifier: Apache-2.0
"""An authority of the test's own: a good server, one whose certificate has expired, a client."""

import subprocess

CA = """
[ca]
default_ca = own
[own]
dir = {at}
database = {at}/index
new_certs_dir = {at}
certificate = {at}/ca.pem
private_key = {at}/ca.key
serial = {at}/serial
default_md = sha256
policy = any
x509_extensions = server
email_in_dn = no
rand_serial = yes
unique_subject = no
[any]
commonName = supplied
[server]
subjectAltName = IP:127.0.0.1
basicConstraints = CA:FALSE
"""
VALIDITY = {"server": ("20200101000000Z", "20480101000000Z"),
            "expired": ("20200101000000Z", "20200201000000Z"),
            "client": ("20200101000000Z", "20480101000000Z")}


def openssl(*words):
    subprocess.run(["openssl", *map(str, words)], check=True, capture_output=True)


def make(at):
    """NAME.pem and NAME.key for ca, server, expired and client in the directory `at`."""
    at.mkdir(mode=0o700)
    (at / "index").write_text("")
    (at / "ca.conf").write_text(CA.format(at=at))
    openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", 7000,
            "-subj", "/CN=test authority", "-keyout", at / "ca.key", "-out", at / "ca.pem")
    for name, (begin, end) in VALIDITY.items():
        openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                "-subj", f"/CN={name}", "-keyout", at / f"{name}.key", "-out", at / f"{name}.csr")
        openssl("ca", "-batch", "-config", at / "ca.conf", "-startdate", begin, "-enddate", end,
                "-in", at / f"{name}.csr", "-out", at / f"{name}.pem", "-notext")
    return at
