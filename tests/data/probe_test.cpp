// tests/data/probe_test.cpp - answers of ffprobe that make no sense: nothing is computed from them.
#include "data/media/video.h"

#include "kernels/base/error.h"
#include "tests/data/folder.h"

namespace bifrons::data {
namespace {

const std::string kPackets = "0.00,0.00,K_\n0.04,0.04,__\n0.08,0.08,__\n";

/// Of a stream with these further members.
VideoInfo info_of(const std::string& members, const std::string& packets = kPackets, const std::string& more = "")
{
    const std::string answer =
        R"({"streams":[{"index":3,"codec_type":"video","width":64,"height":48)" + members + "}" + more + "]}";
    return read_probe(
        answer, [&](int stream) { return stream == 3 ? packets : ""; }, "a.mp4");
}

TEST(Probe, AFewMembersAreEnough)
{
    const VideoInfo info = info_of(R"(,"r_frame_rate":"25/1","side_data_list":[{"rotation":-90}])", kPackets,
                                   R"(,{"index":1,"codec_type":"audio","codec_name":"aac"})");
    EXPECT_EQ(info.frames, 3);
    EXPECT_EQ(info.format.W, 48) << "turned";
    EXPECT_EQ(info.format.H, 64);
    EXPECT_EQ(info.format.rate.num, 25);
    ASSERT_EQ(info.others.size(), 1u);
    EXPECT_EQ(info.others[0].codec, "") << "sound without a rate is empty";
    EXPECT_EQ(info.timecode, "");
}

TEST(Probe, APictureOfTilesIsRefused)
{
    // As ffprobe 7 and 8 tell of HEIC by telephones.
    const std::string tile = R"(,"nb_frames":"1","disposition":{"default":0,"dependent":1})";
    const std::string further = R"(,{"index":4,"codec_type":"video","width":64,"height":48)" + tile + "}";
    BIFRONS_EXPECT_ERROR(info_of(tile, "0,0,K_\n", further + further), data,
                         "a.mp4: is a picture of 3 tiles and no video. Give it the ending .heic or .avif.");
    EXPECT_EQ(info_of(tile, "0,0,K_\n").frames, 1) << "one alone is whole";
    const std::string depth = R"(,{"index":4,"codec_type":"video","nb_frames":"3","disposition":{"dependent":1}})";
    EXPECT_EQ(info_of("", kPackets, depth + depth).frames, 3) << "a video with what belongs to it";
}

TEST(Probe, NumbersBeyondReasonAreNotSaid)
{
    for (const char* rate : {"1/0", "0/0", "9223372036854775807/1", "1/9223372036854775807", "-25/1", "1e999/1", "x"}) {
        const std::string said = str(R"(,"r_frame_rate":")", rate, R"(","avg_frame_rate":")", rate, '"');
        EXPECT_EQ(info_of(said, "N/A,N/A,K_\n").format.rate.value(), 25) << rate;
        EXPECT_NEAR(info_of(said).format.rate.value(), 25, 1.1) << rate << ": one that the times keep to";
    }
    for (const char* time : {"inf", "nan", "1e999", "-1e300", "1e18"}) {
        const VideoInfo info = info_of("", str("0.0,0.0,K_\n", time, ",0.04,__\n0.08,0.08,__\n"));
        EXPECT_EQ(info.frames, 3) << time;
        EXPECT_EQ(info.format.rate.value(), 25) << time << ": the usual one where times are missing";
    }
    EXPECT_EQ(info_of("", "0.0,0.0,K_\n1e-300,0.0,__\n2e-300,0.0,__\n").format.rate.value(), 25);
    EXPECT_EQ(info_of("", "0.0,0.0,K_\n5e5,5e5,__\n").format.rate.value(), 25);
    for (const char* bits : {"1e999", "-1", "nan", "99999999999"})
        EXPECT_EQ(info_of(str(R"(,"pix_fmt":"yuv420p10le","bits_per_raw_sample":")", bits, '"')).format.bits, 10)
            << bits;
    EXPECT_EQ(info_of(R"(,"nb_frames":"1e999")").damage, "");
    EXPECT_NE(info_of(R"(,"nb_frames":"75")").damage.find("holds 3 of the 75 frames"), std::string::npos);
}

TEST(Probe, MembersOfAnotherTypeAreNotSaid)
{
    const VideoInfo info = info_of(R"(,"disposition":[1],"side_data_list":7,"tags":"x","codec_name":5,"pix_fmt":null,)"
                                   R"("sample_aspect_ratio":{},"field_order":[],"bits_per_raw_sample":8)",
                                   kPackets, R"(,5,null,{"index":"1"},[])");
    EXPECT_EQ(info.frames, 3);
    EXPECT_EQ(info.codec, "");
    EXPECT_EQ(info.format.bits, 8);
    EXPECT_EQ(info.others.size(), 4u);
}

TEST(Probe, WhatHoldsNoPicturesIsRefused)
{
    const auto none = [](int) { return ""; };
    BIFRONS_EXPECT_ERROR(read_probe("", none, "a.mp4"), data, "a.mp4: ffprobe's answer: is not valid JSON");
    BIFRONS_EXPECT_ERROR(read_probe("[]", none, "a.mp4"), data, "a.mp4: holds no video");
    BIFRONS_EXPECT_ERROR(read_probe(R"({"streams":7})", none, "a.mp4"), data, "a.mp4: holds no video");
    BIFRONS_EXPECT_ERROR(read_probe(std::string(200'000, '['), none, "a.mp4"), data, "nested");
    for (const char* size : {"1e300", "-5", "99999999999", "\"64\""})
        BIFRONS_EXPECT_ERROR(info_of(str(R"(,"width":)", size)), data, "a.mp4: holds a video stream without a picture");
    BIFRONS_EXPECT_ERROR(info_of("", ""), data, "a.mp4: holds a video stream without a picture");
}

} // namespace
} // namespace bifrons::data
