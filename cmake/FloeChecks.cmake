# The checks of the source tree and of what was built, as tests with the label "check" (tools/check-*.sh).
function(floe_check name)
  cmake_parse_arguments(C "" "TIMEOUT" "ARGS" ${ARGN})
  floe_add_test(check/${name} LABEL check TIMEOUT ${C_TIMEOUT}
                COMMAND "${PROJECT_SOURCE_DIR}/tools/check-${name}.sh" ${C_ARGS})
endfunction()

floe_check(format)
floe_check(words)
floe_check(sizes)
floe_check(headers)
floe_check(causes)
floe_check(layers ARGS "${PROJECT_BINARY_DIR}/arrows" "${CMAKE_C_COMPILER}")
floe_check(quick ARGS "${PROJECT_BINARY_DIR}/tests")
floe_check(causes-tested)
floe_check(docs ARGS "${PROJECT_BINARY_DIR}/doc" TIMEOUT 300)
if(NOT FLOE_SANITIZE AND NOT FLOE_COVERAGE) # instrumented objects use and export more than their own symbols
  floe_check(symbols ARGS "$<TARGET_FILE:floe_core_static>" "${CMAKE_C_COMPILER}")
  floe_check(exports ARGS "$<TARGET_FILE:floe_core>" "$<TARGET_FILE:floe_uv_shared>")
endif()
if(FLOE_INSTALL)
  floe_add_test(install LABEL install TIMEOUT 300
                COMMAND "${PROJECT_SOURCE_DIR}/tests/install/run.sh" "${PROJECT_BINARY_DIR}" "${CMAKE_C_COMPILER}")
endif()
