# Install rules: libraries (shared and static), headers, pkg-config and CMake package files, the command and its manual.
include(CMakePackageConfigHelpers)

install(TARGETS floe_core floe_uv_shared EXPORT floe-targets
        LIBRARY DESTINATION "${CMAKE_INSTALL_LIBDIR}" RUNTIME DESTINATION "${CMAKE_INSTALL_BINDIR}"
        INCLUDES DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}")
install(TARGETS floe_core_static floe_uv_static ARCHIVE DESTINATION "${CMAKE_INSTALL_LIBDIR}")
install(DIRECTORY "${PROJECT_SOURCE_DIR}/include/floe" DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}" FILES_MATCHING PATTERN "*.h")

# CMake: find_package(floe) gives floe::core and floe::uv.
set(package_dir "${CMAKE_INSTALL_LIBDIR}/cmake/floe")
install(EXPORT floe-targets NAMESPACE floe:: DESTINATION "${package_dir}")
configure_package_config_file("${PROJECT_SOURCE_DIR}/cmake/floe-config.cmake.in" "${PROJECT_BINARY_DIR}/floe-config.cmake"
                              INSTALL_DESTINATION "${package_dir}")
write_basic_package_version_file("${PROJECT_BINARY_DIR}/floe-config-version.cmake" COMPATIBILITY SameMinorVersion)
install(FILES "${PROJECT_BINARY_DIR}/floe-config.cmake" "${PROJECT_BINARY_DIR}/floe-config-version.cmake"
        DESTINATION "${package_dir}")

# pkg-config: floe and floe-uv. Paths are relative to the .pc file, so that the tree can be moved.
file(RELATIVE_PATH pc_prefix "${CMAKE_INSTALL_FULL_LIBDIR}/pkgconfig" "${CMAKE_INSTALL_PREFIX}")
string(REGEX REPLACE "/$" "" pc_prefix "${pc_prefix}")
foreach(pc IN ITEMS floe floe-uv)
  configure_file("${PROJECT_SOURCE_DIR}/cmake/${pc}.pc.in" "${PROJECT_BINARY_DIR}/${pc}.pc" @ONLY)
  install(FILES "${PROJECT_BINARY_DIR}/${pc}.pc" DESTINATION "${CMAKE_INSTALL_LIBDIR}/pkgconfig")
endforeach()

install(FILES "${PROJECT_SOURCE_DIR}/LICENSE" "${PROJECT_SOURCE_DIR}/CHANGELOG.md" DESTINATION "${CMAKE_INSTALL_DOCDIR}")
install(DIRECTORY "${PROJECT_SOURCE_DIR}/docs/causes" DESTINATION "${CMAKE_INSTALL_DOCDIR}")
if(TARGET floe)
  install(TARGETS floe RUNTIME DESTINATION "${CMAKE_INSTALL_BINDIR}")
  file(GLOB man_pages "${PROJECT_SOURCE_DIR}/docs/man/*.1")
  install(FILES ${man_pages} DESTINATION "${CMAKE_INSTALL_MANDIR}/man1" OPTIONAL)
  install(FILES "${PROJECT_SOURCE_DIR}/cli/completion/floe.bash" DESTINATION "${CMAKE_INSTALL_DATADIR}/bash-completion/completions"
          RENAME floe OPTIONAL)
endif()
