# Fails unless PAGE holds the text of SOURCE.
file(READ "${SOURCE}" source)
file(READ "${PAGE}" page)
string(FIND "${page}" "${source}" at)
if(at EQUAL -1)
  message(FATAL_ERROR "${PAGE} does not show ${SOURCE} as it is")
endif()
