// tools/people.h - who is who in footage of several people: `bifrons merge --map PICTURE=MODEL`.
//
// Each track of faces (data/extract/steady.h) is one person. Its distance to somebody is the mean, over at most 8 of
// its faces, evenly spaced, of the distances of their descriptors (model/identity.h) to that of the picture; whoever is
// nearest, and nearer than 0.6, it is. Tests tests/tools/merge_test.cpp
#pragma once

#include "data/extract/footage.h"
#include "model/identity.h"

namespace bifrons::tools {

struct Person {
    std::string picture; ///< that shows the face to be replaced
    std::string model;   ///< whose source replaces it
};

/// "alice.png=models/carol" -> both. Throws Error(usage) for other text, Error(data) for a picture that is not there.
Person person_of(const std::string& text);

/// The file of the identity network. Throws Error(usage) that says how to get it where there is none.
std::string identity_file();

/// A clip's faces, of each person by itself.
struct SortedFaces {
    std::vector<data::Clip> clips = {}; ///< in the people's order, each as long as the whole
    std::int64_t strangers = 0;         ///< faces that are nobody's
};

class People {
  public:
    /// Describes the largest face of each picture. Throws Error(data) for one without a face.
    People(model::IdentityNetwork& network, const std::vector<Person>& people, const data::FinderOptions& finder,
           std::shared_ptr<const data::LandmarkModel> landmarks);

    /// Reads the footage's frames to its end. tick: called with the number of frames done; may throw to stop.
    SortedFaces sort(data::FrameSource& source, const data::Clip& clip,
                     const std::function<void(std::int64_t)>& tick) const;

  private:
    model::IdentityNetwork::Descriptor describe(const data::Image& picture, const data::Landmarks& points) const;

    model::IdentityNetwork& network_;
    std::vector<model::IdentityNetwork::Descriptor> people_;
};

} // namespace bifrons::tools
