# SPDX-License-Identifier: Apache-2.0
"""manager.py MIBS FOLDER ADDRESS PORT COMMUNITY next|bulk|many OID: a manager of pysnmp's, which reads the texts of our MIBs by
pysmi (compiled into FOLDER) and walks from OID; "many" asks for OID 1000 times in one GET. Prints JSON: for each
variable its identifier, module and name, value, and whether the value is within what the MIB allows. Run by
/usr/bin/python3, whose modules are Debian's; ends with 77 when there are none."""

import json
import pathlib
import sys

try:
    from pysmi.codegen import PySnmpCodeGen
    from pysmi.compiler import MibCompiler
    from pysmi.parser import SmiStarParser
    from pysmi.reader import FileReader
    from pysmi.searcher import PyFileSearcher, PyPackageSearcher, StubSearcher
    from pysmi.writer import PyFileWriter
    from pysnmp import hlapi
    from pyasn1.type.univ import ObjectIdentifier
    from pysnmp.proto.rfc1905 import EndOfMibView
    from pysnmp.smi import builder, view
    from pysnmp.smi.error import SmiError
except ImportError:
    sys.exit(77)

MODULES = ("GUESTMON-MIB", "GUESTMON-CAPABILITIES-MIB", "VM-MIB", "ALARM-MIB", "ITU-ALARM-MIB")
MANY = 1000


def read_mibs(mibs, folder):
    """Compiles what is not there yet; a view over all."""
    compiler = MibCompiler(SmiStarParser(), PySnmpCodeGen(), PyFileWriter(folder))
    compiler.addSources(FileReader(mibs), FileReader(mibs + "/compat"))
    compiler.addSearchers(PyFileSearcher(folder), StubSearcher(*PySnmpCodeGen.baseMibs),
                          *map(PyPackageSearcher, PySnmpCodeGen.defaultMibPackages))
    result = compiler.compile(*MODULES)
    bad = {name: state for name, state in result.items() if state not in ("compiled", "untouched")}
    if bad:
        sys.exit(f"pysmi: {bad}")
    mib = builder.MibBuilder()
    mib.addMibSources(builder.DirMibSource(folder))
    mib.loadModules(*MODULES)
    return view.MibViewController(mib)


def describe(mib, name, value):
    """A variable as the MIB's reader sees it; octets in hexadecimal."""
    resolved = hlapi.ObjectType(hlapi.ObjectIdentity(name), value)
    fault = None
    try:
        resolved.resolveWithMib(mib)
        module, label, _ = resolved[0].getMibSymbol()
    except SmiError as error:
        module, label, fault = "", "", str(error)
    if isinstance(value, hlapi.OctetString):
        plain = bytes(value).hex()
    else:
        plain = "." + str(value) if isinstance(value, ObjectIdentifier) else int(value)
    return {"oid": "." + str(name), "name": f"{module}::{label}", "value": plain, "fault": fault}


def walk(command, arguments, start):
    """Names and values until the subtree ends."""
    extra = (0, 25) if command is hlapi.bulkCmd else ()
    found = []
    for error, status, _, binds in command(*arguments, *extra, hlapi.ObjectType(hlapi.ObjectIdentity(start)),
                                           lookupMib=False, lexicographicMode=False):
        if error or status:
            sys.exit(f"{start}: {error or status.prettyPrint()}")
        found += [(name, value) for name, value in binds if value.tagSet != EndOfMibView.tagSet]
    return found


def main():
    mibs, folder, address, port, community, how, start = sys.argv[1:]
    mib = read_mibs(mibs, str(pathlib.Path(folder)))
    arguments = (hlapi.SnmpEngine(), hlapi.CommunityData(community),
                 hlapi.UdpTransportTarget((address, int(port)), timeout=10, retries=1), hlapi.ContextData())
    if how == "many":
        wanted = [hlapi.ObjectType(hlapi.ObjectIdentity(start))] * MANY
        error, status, _, answer = next(hlapi.getCmd(*arguments, *wanted, lookupMib=False))
        print(json.dumps({"error": str(error or ""), "status": status and status.prettyPrint(), "variables": len(answer)}))
        return
    found = walk(hlapi.bulkCmd if how == "bulk" else hlapi.nextCmd, arguments, start)
    print(json.dumps([describe(mib, name, value) for name, value in found]))


main()
