# SPDX-License-Identifier: Apache-2.0
# What is installed where, and the Debian package: `cmake --install BUILD`, `cpack -G DEB` in BUILD.

set(unit_directory lib/systemd/system)
set(guestmon_data ${CMAKE_INSTALL_DATADIR}/guestmon)

install(TARGETS guestmond RUNTIME DESTINATION ${CMAKE_INSTALL_SBINDIR})
install(TARGETS guestmonctl RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
# What the operator has written there stays; a package has conffiles for that.
set(guestmon_etc ${CMAKE_INSTALL_FULL_SYSCONFDIR}/guestmon)
install(CODE "
    if(NOT EXISTS \"\$ENV{DESTDIR}${guestmon_etc}/guestmon.yaml\")
        file(INSTALL DESTINATION \"${guestmon_etc}\" TYPE FILE
             FILES \"${CMAKE_CURRENT_SOURCE_DIR}/conf/guestmon.yaml\")
    endif()")
install(DIRECTORY DESTINATION ${guestmon_etc}/policy.d)
install(DIRECTORY DESTINATION ${guestmon_etc}/outputs.d)
install(FILES conf/policy.d/example.yaml DESTINATION ${guestmon_data}/policy.d)
install(FILES conf/guestmon.service DESTINATION ${unit_directory})
install(FILES conf/guestmon.sysusers DESTINATION lib/sysusers.d RENAME guestmon.conf)
install(FILES conf/guestmon.tmpfiles DESTINATION lib/tmpfiles.d RENAME guestmon.conf)
# Not into /etc/snmp: what a node's snmpd shows to whom is its operator's decision.
install(FILES conf/snmpd.conf.d/guestmon.conf conf/snmpd.conf.d/guestmon-standard.conf
        DESTINATION ${guestmon_data}/snmpd.conf.d)
install(FILES conf/snmptrapd.conf DESTINATION ${guestmon_data})
# compat/ apart from the rest: it is for machines that lack the IETF's texts.
install(DIRECTORY mibs/ DESTINATION ${guestmon_data}/mibs FILES_MATCHING PATTERN "*.txt")
install(FILES contrib/man/guestmond.8 DESTINATION ${CMAKE_INSTALL_MANDIR}/man8)
install(FILES contrib/man/guestmonctl.1 DESTINATION ${CMAKE_INSTALL_MANDIR}/man1)
install(FILES contrib/man/guestmon.yaml.5 contrib/man/guestmon-policy.5 contrib/man/guestmon-outputs.5
        DESTINATION ${CMAKE_INSTALL_MANDIR}/man5)
install(FILES contrib/man/guestmon-redis.7 DESTINATION ${CMAKE_INSTALL_MANDIR}/man7)
# For a Redis server's operator, and for who writes analysers.
install(FILES contrib/redis/guestmon.acl DESTINATION ${guestmon_data}/redis)
install(PROGRAMS contrib/analysers/sklearn-leak DESTINATION ${guestmon_data}/analysers)
install(FILES contrib/analysers/sklearn-leak.service contrib/analysers/README.md
        DESTINATION ${guestmon_data}/analysers)
install(FILES contrib/analysers/c-example/c-example.c contrib/analysers/c-example/Makefile
        DESTINATION ${guestmon_data}/analysers/c-example)
# For management stations.
install(DIRECTORY contrib/nms/ DESTINATION ${guestmon_data}/nms USE_SOURCE_PERMISSIONS
        PATTERN generator EXCLUDE PATTERN generate EXCLUDE PATTERN mib-html EXCLUDE)
install(FILES LICENSE NEWS DESTINATION ${CMAKE_INSTALL_DOCDIR})

set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME guestmon)
set(CPACK_PACKAGE_CONTACT "guestmon developers <guestmon@localhost>")
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SECTION net)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_DEPENDS "systemd | systemd-standalone-sysusers")
set(CPACK_DEBIAN_PACKAGE_RECOMMENDS "snmpd, redis-server")
set(CPACK_DEBIAN_PACKAGE_SUGGESTS "libvirt-daemon-system, snmp")
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
set(CPACK_DEBIAN_PACKAGE_CONTROL_EXTRA
    ${PROJECT_SOURCE_DIR}/contrib/packaging/conffiles
    ${PROJECT_SOURCE_DIR}/contrib/packaging/postinst
    ${PROJECT_SOURCE_DIR}/contrib/packaging/prerm
    ${PROJECT_SOURCE_DIR}/contrib/packaging/postrm)
include(CPack)
