// tools/face_values.h - the measures that `bifrons faces` sorts faces by, and selects them by.
#pragma once

#include "data/face_looks.h"
#include "tools/console.h"

#include <map>

namespace bifrons::tools {

struct FaceKey {
    const char* name;    ///< of --sort
    const char* measure; ///< of --above, --below and the list
    const char* first;   ///< which faces come first, for the help
    bool falls;          ///< from the highest value to the lowest
};
const std::vector<FaceKey>& face_keys();

/// By either name. Throws Error(usage) for another one.
const FaceKey& face_key_of(const std::string& name);

/// What the identity network needs.
struct IdentityOptions {
    std::string file; ///< empty: from the models folder
    std::string device = "auto";
};

/// The measures of a faceset's faces, each taken when it is first asked for.
class FaceValues {
  public:
    /// All must outlive this.
    FaceValues(const data::Faceset& set, const IdentityOptions& identity, Console& console)
        : set_(set), identity_(identity), console_(console)
    {
    }

    /// Of each face; not a number where its picture cannot be read. Throws Error(usage) where the identity network is
    /// needed and missing.
    const std::vector<double>& of(const FaceKey& key);
    /// All faces in the key's order; those whose picture cannot be read come last.
    std::vector<std::size_t> order(const FaceKey& key);
    const data::FaceLooks& looks();
    /// Why pictures could not be read, of the measures so far.
    const std::vector<std::string>& unreadable() const { return unreadable_; }

  private:
    std::vector<double> taken(const std::string& measure);
    std::vector<double> similarities();
    std::vector<double> identities();

    const data::Faceset& set_;
    const IdentityOptions& identity_;
    Console& console_;
    std::map<std::string, std::vector<double>> values_;
    std::optional<data::FaceLooks> looks_;
    std::vector<data::Link> chain_;
    std::vector<std::string> unreadable_;
};

} // namespace bifrons::tools
