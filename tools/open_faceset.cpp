#include "tools/open_faceset.h"

#include "data/pack.h"
#include "data/threads.h"
#include "kernels/base/error.h"
#include "kernels/base/words.h"
#include "tools/interrupt.h"
#include "tools/progress.h"

#include <algorithm>
#include <filesystem>

namespace bifrons::tools {

namespace {

void stop_if_interrupted()
{
    if (interrupted()) throw Interrupted("interrupted while a faceset was loaded; nothing was changed");
}

/// "3 pictures, images/a.png, images/b.png, images/c.png,", or the first of many.
std::string some_of(const std::vector<std::string>& files)
{
    constexpr std::size_t kNamed = 5;
    std::vector<std::string> named(files.begin(), files.begin() + std::ptrdiff_t(std::min(files.size(), kNamed)));
    return str(files.size(), files.size() == 1 ? " picture, " : " pictures, ", joined(named),
               files.size() > kNamed ? " and others," : ",");
}

data::Faceset load(const std::string& path, Console& console)
{
    LateProgress progress(console, "load", "MB");
    const auto tick = [&](std::int64_t read, std::int64_t of) {
        stop_if_interrupted();
        progress.update(megabytes(read), megabytes(of));
    };
    return data::is_pack(path) ? data::load_pack(path, tick) : data::load_faceset(path, tick);
}

} // namespace

bool holds_faceset(const std::string& path)
{
    return data::is_faceset(path) || data::is_pack(path);
}

data::Faceset open_faceset(const std::string& path, Console& console)
{
    data::Faceset set = load(path, console);
    if (!set.missing.empty())
        console.warn(str(path, ": ", some_of(set.missing), set.missing.size() == 1 ? " is" : " are",
                         " gone; the faces were taken out, ", set.faces.size(), " are left"));
    return set;
}

data::FaceArrays open_faces(const data::Faceset& set, const std::vector<std::size_t>& indices, data::FaceType type,
                            std::int64_t side, data::FaceWants wants, Console& console, Changed changed)
{
    LateProgress progress(console, "load", "faces");
    wants.tick = [&](std::int64_t done) {
        stop_if_interrupted();
        progress.update(done, std::int64_t(indices.size()));
    };
    data::FaceArrays arrays = data::load_faces(set, indices, type, side, wants);
    const auto tell = [&](const std::vector<std::string>& files, const char* fault, const std::string& then) {
        if (files.empty()) return;
        const std::string what = str(set.folder.string(), ": ", some_of(files), fault);
        BIFRONS_CHECK(data, changed == Changed::accept, what, ". Extract again, or leave out --verify.");
        console.warn(what + then);
    };
    BIFRONS_CHECK(data, arrays.count > 0 || indices.empty(), set.folder.string(), ": none of ", indices.size(),
                  " pictures can be used. ", arrays.damage);
    tell(arrays.damaged, " cannot be used", str("; left out. ", arrays.damage));
    tell(arrays.changed,
         arrays.changed.size() == 1 ? " was changed since extraction" : " were changed since extraction",
         "; used as now. --verify refuses them.");
    return arrays;
}

void verify_pictures(const data::Faceset& set)
{
    std::vector<std::string> faults(set.faces.size());
    data::for_each_on_threads(std::int64_t(set.faces.size()), data::machine_threads(), [&](std::int64_t i, int) {
        const auto n = std::size_t(i);
        stop_if_interrupted();
        try {
            bool changed = false;
            data::load_face(set, n, &changed);
            if (changed) faults[n] = set.faces[n].file;
        } catch (const Error&) {
            faults[n] = set.faces[n].file;
        }
    });
    std::erase(faults, "");
    BIFRONS_CHECK(data, faults.empty(), set.folder.string(), ": ", some_of(faults),
                  " cannot be read or were changed since extraction. Extract again, or leave out --verify.");
}

} // namespace bifrons::tools
