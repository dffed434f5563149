# floe_tests(LABEL label DIR dir [EXCLUDE regex] [TIMEOUT seconds] [LOCK name] LINK targets...)
#
# Each *_test.c below dir becomes an executable and a test named after its path. Tests may include every internal
# header (as "stun/msg.h") and everything in tests/ (as "support/peer.h"). Exit status 77 means skipped. Tests with the
# same LOCK never run at the same time.
function(floe_tests)
  cmake_parse_arguments(T "" "LABEL;DIR;EXCLUDE;TIMEOUT;LOCK" "LINK" ${ARGN})
  file(GLOB_RECURSE files CONFIGURE_DEPENDS "${CMAKE_CURRENT_SOURCE_DIR}/${T_DIR}/*_test.c")
  if(T_EXCLUDE)
    list(FILTER files EXCLUDE REGEX "${T_EXCLUDE}")
  endif()
  foreach(file IN LISTS files)
    file(RELATIVE_PATH path "${CMAKE_CURRENT_SOURCE_DIR}" "${file}")
    string(REGEX REPLACE "_test\\.c$" "" name "${path}")
    string(MAKE_C_IDENTIFIER "${name}" id)
    set(target "test_${id}")
    add_executable(${target} "${file}")
    target_include_directories(${target} PRIVATE "${PROJECT_SOURCE_DIR}/src" "${PROJECT_SOURCE_DIR}/tests"
                                                 "${PROJECT_SOURCE_DIR}/cli")
    target_compile_definitions(${target} PRIVATE FLOE_SOURCE_DIR="${PROJECT_SOURCE_DIR}"
                                                 FLOE_BINARY_DIR="${PROJECT_BINARY_DIR}")
    target_link_libraries(${target} PRIVATE floe_flags ${T_LINK} PkgConfig::CMOCKA)
    floe_add_test(${name} LABEL ${T_LABEL} TIMEOUT ${T_TIMEOUT} LOCK ${T_LOCK} COMMAND ${target})
  endforeach()
endfunction()

# floe_add_test(name LABEL label [TIMEOUT seconds] [LOCK name] COMMAND command...)
function(floe_add_test name)
  cmake_parse_arguments(T "" "LABEL;TIMEOUT;LOCK" "COMMAND" ${ARGN})
  if(NOT T_TIMEOUT)
    set(T_TIMEOUT 120)
  endif()
  set(test "${FLOE_TEST_PREFIX}${name}")
  add_test(NAME "${test}" COMMAND ${T_COMMAND})
  set_tests_properties("${test}" PROPERTIES LABELS "${T_LABEL}" TIMEOUT ${T_TIMEOUT} SKIP_RETURN_CODE 77)
  if(T_LOCK)
    set_tests_properties("${test}" PROPERTIES RESOURCE_LOCK "${T_LOCK}")
  endif()
endfunction()
