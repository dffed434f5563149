# floe_module(NAME MAY_INCLUDE folders... LINK targets...)
#
# One folder of src/ as an object library. Its sources see the public headers, their own folder and the folders named,
# and no other: each module gets an include path of symbolic links ("arrows") to just those, so that an include that
# points upwards or sideways does not compile.
function(floe_module name)
  cmake_parse_arguments(M "" "" "MAY_INCLUDE;LINK" ${ARGN})
  file(GLOB sources CONFIGURE_DEPENDS "${CMAKE_CURRENT_SOURCE_DIR}/${name}/*.c")
  add_library(floe_${name} OBJECT ${sources})
  set(arrows "${CMAKE_BINARY_DIR}/arrows/${name}")
  file(MAKE_DIRECTORY "${arrows}")
  foreach(folder IN LISTS name M_MAY_INCLUDE)
    file(CREATE_LINK "${CMAKE_CURRENT_SOURCE_DIR}/${folder}" "${arrows}/${folder}" SYMBOLIC)
  endforeach()
  target_include_directories(floe_${name} PRIVATE "${arrows}" PUBLIC "${PROJECT_SOURCE_DIR}/include")
  target_compile_definitions(floe_${name} PRIVATE FLOE_BUILDING FLOE_VERSION="${PROJECT_VERSION}")
  target_link_libraries(floe_${name} PRIVATE floe_flags ${M_LINK})
endfunction()
