// data/folders.cpp - where a folder of faces may be written.
#include "data/folders.h"

#include <algorithm>

namespace bifrons::data {
namespace fs = std::filesystem;

namespace {

/// Without links, and without a separator at the end, which would count as a name.
fs::path whole(const fs::path& path)
{
    const fs::path whole = fs::weakly_canonical(path);
    return whole.has_filename() ? whole : whole.parent_path();
}

bool lies_in(const fs::path& inner, const fs::path& outer)
{
    return std::mismatch(outer.begin(), outer.end(), inner.begin(), inner.end()).first == outer.end();
}

} // namespace

void check_apart(const fs::path& from, const fs::path& out)
{
    const fs::path a = whole(from), b = whole(out);
    BIFRONS_CHECK(usage, !lies_in(a, b), from.string(), ": lies in the output folder ", out.string(),
                  ", whose pictures are replaced. Choose another output folder.");
    BIFRONS_CHECK(usage, !lies_in(b, a), out.string(), ": the output folder lies in the input ", from.string(),
                  ", whose pictures would mix with it. Choose another output folder.");
}

bool is_unused(const fs::path& folder)
{
    const fs::directory_iterator entries(folder);
    return std::all_of(begin(entries), end(entries),
                       [](const fs::directory_entry& entry) { return entry.path().filename() == ".lock"; });
}

} // namespace bifrons::data
