# floe_tests(LABEL label DIR dir LINK targets...)
#
# Each *_test.c below dir becomes an executable and a test named after its path. Tests may include every internal
# header (as "stun/msg.h") and everything in tests/ (as "support/peer.h").
function(floe_tests)
  cmake_parse_arguments(T "" "LABEL;DIR;TIMEOUT" "LINK" ${ARGN})
  if(NOT T_TIMEOUT)
    set(T_TIMEOUT 120)
  endif()
  file(GLOB_RECURSE files CONFIGURE_DEPENDS "${CMAKE_CURRENT_SOURCE_DIR}/${T_DIR}/*_test.c")
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
    add_test(NAME ${name} COMMAND ${target})
    set_tests_properties(${name} PROPERTIES LABELS "${T_LABEL}" TIMEOUT ${T_TIMEOUT})
  endforeach()
endfunction()
