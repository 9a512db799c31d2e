// data/media/input.cpp - how ffmpeg and ffprobe are told to open a file.
#include "data/media/input.h"

namespace bifrons::data {

namespace {

/// Demuxers by ffmpeg's names; some are of newer versions. Each reads the one file that it is given.
constexpr const char* kFormats =
    "mov,mp4,matroska,webm,avi,mpeg,mpegts,mpegvideo,m4v,h264,hevc,vvc,obu,av1,ivf,vc1,"
    "mjpeg,asf,flv,ogg,mxf,gxf,nut,dv,rm,wtv,nsv,nuv,dirac,cavsvideo,yuv4mpegpipe,gif,apng,"
    "wav,mp3,aac,flac";

} // namespace

Words input_options(const std::filesystem::path& path)
{
    // The prefix keeps a name from being taken for an option, an address or a pattern.
    return {"-protocol_whitelist", "file", "-format_whitelist", kFormats, "-i", "file:" + path.string()};
}

bool is_refused_format(const std::string& complaint)
{
    return complaint.find("not on whitelist") != std::string::npos;
}

} // namespace bifrons::data
