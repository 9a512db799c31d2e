// data/provenance.h - what a synthetic picture or video says of its making, for people and for programs.
//
// XMP (ISO 16684-1) with IPTC's Digital Source Type compositeWithTrainedAlgorithmicMedia (IPTC Photo Metadata 2021.1):
// a real picture of which a part was made by a trained model. Tests tests/data/provenance_test.cpp
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace bifrons::data {

struct Provenance {
    std::string comment = {}; ///< for people; empty: the file says nothing
    std::string tool = {};    ///< "Bifrons 0.1"
    std::string model = {};   ///< SHA-256 of its checkpoint; of several, with blanks between
};

/// An XMP packet; empty where nothing is said.
std::string xmp_packet(const Provenance& made);

/// The same as tags of containers that have names for any: "KEY=VALUE".
std::vector<std::string> metadata_tags(const Provenance& made);

/// Appends the packet to an MP4 or QuickTime file, as a box that players skip (XMP specification part 3, "MPEG-4").
/// Throws Error(failed).
void append_xmp_box(const std::filesystem::path& file, const std::string& packet);

} // namespace bifrons::data
