#include "data/pack.h"
#include "engine/folder_lock.h"
#include "kernels/base/error.h"
#include "tools/commands.h"
#include "tools/interrupt.h"
#include "tools/open_faceset.h"
#include "tools/options.h"
#include "tools/progress.h"

namespace bifrons::tools {

namespace {

struct Options {
    std::string from, out;
    bool overwrite = false;
};

/// Calls work(options) with progress. Throws Interrupted.
template <class Work>
data::PackReport with_progress(const char* doing, Console& console, const Work& work)
{
    console.begin_work();
    LateProgress progress(console, doing, "files");
    try {
        return work(
            data::WorkOptions{.progress = [&](std::int64_t done, std::int64_t of) { progress.update(done, of); },
                              .cancel = &interrupt_flag()});
    } catch (const data::Cancelled&) {
        throw Interrupted("interrupted; nothing was written. Run the same command again.");
    }
}

void show(const std::string& what, const std::string& faceset, const std::string& pack, const data::PackReport& report,
          Console& console)
{
    console.result(str(what, report.faces, " faces, ", human_bytes(double(report.bytes))),
                   {{"faceset", faceset}, {"pack", pack}, {"faces", report.faces}, {"bytes", report.bytes}});
}

void pack(const Options& o, Console& console)
{
    BIFRONS_CHECK(usage, !data::is_pack(o.from), o.from, ": is a pack already; copy the file");
    check_unlocked(o.from);
    const data::Faceset set = open_faceset(o.from, console);
    BIFRONS_CHECK(data, !set.faces.empty(), o.from, ": holds no faces");
    const data::PackReport report = with_progress("pack", console, [&](const data::WorkOptions& options) {
        return data::pack_faceset(set, o.out, o.overwrite ? data::Existing::replace : data::Existing::keep, options);
    });
    show(o.out + ": ", o.from, o.out, report, console);
}

void unpack(const Options& o, Console& console)
{
    const data::PackReport report = with_progress("unpack", console, [&](const data::WorkOptions& options) {
        return data::unpack_faceset(o.from, o.out, options);
    });
    show(o.out + ": ", o.out, o.from, report, console);
}

} // namespace

Work declare_pack(CLI::App& app)
{
    const auto o = std::make_shared<Options>();
    required(text(app, "FACESET", o->from, "FOLDER", "faceset folder; what is in its trash stays behind"));
    required(text(app, "-o,--out", o->out, "FILE", "pack to write: an uncompressed tar"));
    flag(app, "--overwrite", o->overwrite, "replace an existing file");
    return [o](Console& console) { pack(*o, console); };
}

Work declare_unpack(CLI::App& app)
{
    const auto o = std::make_shared<Options>();
    required(text(app, "PACK", o->from, "FILE", "what `bifrons pack` wrote"));
    required(text(app, "-o,--out", o->out, "FOLDER", "faceset folder to make, new or empty"));
    return [o](Console& console) { unpack(*o, console); };
}

} // namespace bifrons::tools
