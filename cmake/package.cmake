# What `cmake --install` puts under a prefix, and what `cpack` makes of it: a .deb and a .tar.gz.
include(GNUInstallDirs)
install(TARGETS bifrons)
install(FILES LICENSE DESTINATION ${CMAKE_INSTALL_DOCDIR} RENAME copyright)
install(DIRECTORY ${PROJECT_BINARY_DIR}/demo-pictures DESTINATION ${CMAKE_INSTALL_DATADIR}/bifrons OPTIONAL)

# bifrons_install_manual(FORM FILE): what the program itself says about its options.
function(bifrons_install_manual form file)
    install(CODE "
        set(file \"\$ENV{DESTDIR}\${CMAKE_INSTALL_PREFIX}/${CMAKE_INSTALL_DATADIR}/${file}\")
        cmake_path(GET file PARENT_PATH folder)
        file(MAKE_DIRECTORY \${folder})
        execute_process(COMMAND $<TARGET_FILE:bifrons> manual --form ${form} OUTPUT_FILE \${file} COMMAND_ERROR_IS_FATAL ANY)
        message(STATUS \"Installing: \${file}\")")
endfunction()
bifrons_install_manual(man man/man1/bifrons.1)
bifrons_install_manual(bash bash-completion/completions/bifrons)
bifrons_install_manual(zsh zsh/site-functions/_bifrons)
bifrons_install_manual(fish fish/vendor_completions.d/bifrons.fish)
find_program(GZIP gzip)
if(GZIP) # as Debian wants manual pages
    install(CODE "execute_process(COMMAND ${GZIP} -9nf \$ENV{DESTDIR}\${CMAKE_INSTALL_PREFIX}/${CMAKE_INSTALL_MANDIR}/man1/bifrons.1
                                  COMMAND_ERROR_IS_FATAL ANY)")
endif()

set(CPACK_GENERATOR DEB TGZ)
# Who answers for the package is who makes it: named by the variables of Debian's own packaging tools.
set(CPACK_PACKAGE_CONTACT "The Bifrons project <bifrons@localhost>")
if(DEFINED ENV{DEBEMAIL} AND DEFINED ENV{DEBFULLNAME})
    set(CPACK_PACKAGE_CONTACT "$ENV{DEBFULLNAME} <$ENV{DEBEMAIL}>")
endif()
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "face-replacement engine: trains face models, merges them into videos")
set(CPACK_PACKAGE_DESCRIPTION "Bifrons trains a neural network on two faces and puts one on the other in a video. It has
commands for extraction, training, merging and evaluation, and computes on the processor or an NVIDIA GPU.")
set(CPACK_PACKAGE_FILE_NAME bifrons-${PROJECT_VERSION}-${CMAKE_SYSTEM_PROCESSOR})
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SECTION video)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
if(BIFRONS_HAS_MEDIA) # programs and models that it starts or opens
    set(CPACK_DEBIAN_PACKAGE_DEPENDS "ffmpeg, libdlib-data, opencv-data")
endif()
include(CPack)
