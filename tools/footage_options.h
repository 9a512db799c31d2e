// tools/footage_options.h - the options of footage that is read (extract and merge) and of video that is written
// (merge).
#pragma once

#include "data/media/frames.h"

#include <functional>

namespace CLI {
class App;
} // namespace CLI

namespace bifrons::tools {

/// --deinterlace, --strict and --max-pixels. What it returns reads their values once the command line is parsed.
std::function<data::ReaderOptions()> reader_options(CLI::App& app);

/// --codec, --pix-fmt, --crf and --fps-mode: codec, pixels, crf and constant_rate of the options.
std::function<data::VideoOptions()> video_options(CLI::App& app);

} // namespace bifrons::tools
