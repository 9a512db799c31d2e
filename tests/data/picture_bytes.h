// tests/data/picture_bytes.h - picture files made byte by byte.
#pragma once

#include "data/image.h"

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <utility>

#include <jpeglib.h>
#include <zlib.h>

namespace bifrons::test {

using Bytes = std::vector<std::uint8_t>;

inline Bytes bytes(const std::string& text)
{
    return {text.begin(), text.end()};
}

inline void write_bytes(const std::filesystem::path& path, const Bytes& content)
{
    std::ofstream(path, std::ios::binary)
        .write(reinterpret_cast<const char*>(content.data()), std::streamsize(content.size()));
}

/// Exif data that say one orientation.
inline Bytes exif(int orientation, bool little = true)
{
    Bytes ifd = little ? Bytes{'I', 'I', '*', 0, 8, 0, 0, 0, 1, 0, 0x12, 1, 3, 0, 1, 0, 0, 0}
                       : Bytes{'M', 'M', 0, '*', 0, 0, 0, 8, 0, 1, 1, 0x12, 0, 3, 0, 0, 0, 1, 0};
    ifd.push_back(std::uint8_t(orientation));
    ifd.resize(ifd.size() + 8);
    return ifd;
}

inline Bytes deflated(const Bytes& raw)
{
    uLongf size = compressBound(raw.size());
    Bytes out(size);
    compress2(out.data(), &size, raw.data(), raw.size(), 1);
    out.resize(size);
    return out;
}

inline void put_little(Bytes& out, std::size_t value, int size)
{
    for (int i = 0; i < size; ++i) out.push_back(std::uint8_t(value >> (8 * i)));
}

inline void put_big32(Bytes& out, std::size_t value)
{
    for (int shift = 24; shift >= 0; shift -= 8) out.push_back(std::uint8_t(value >> shift));
}

inline void put_chunk(Bytes& png, const std::string& type, const Bytes& content)
{
    put_big32(png, content.size());
    Bytes body = bytes(type);
    body.insert(body.end(), content.begin(), content.end());
    png.insert(png.end(), body.begin(), body.end());
    put_big32(png, crc32(0, body.data(), uInt(body.size())));
}

/// `samples` are its rows without filter bytes; colour 0: grey, 2: RGB, 6: RGBA. Each chunk is type and content.
inline Bytes png(std::size_t W, std::size_t H, int depth, int color, const Bytes& samples,
                 const std::vector<std::pair<std::string, Bytes>>& chunks = {})
{
    Bytes header, file = bytes("\x89PNG\r\n\x1a\n"), rows;
    put_big32(header, W);
    put_big32(header, H);
    for (const int value : {depth, color, 0, 0, 0}) header.push_back(std::uint8_t(value));
    put_chunk(file, "IHDR", header);
    for (const auto& [type, content] : chunks) put_chunk(file, type, content);
    const std::size_t row = std::max<std::size_t>(1, samples.size() / H);
    for (std::size_t at = 0; at < samples.size(); at += row) {
        rows.push_back(0);
        rows.insert(rows.end(), samples.begin() + std::ptrdiff_t(at),
                    samples.begin() + std::ptrdiff_t(std::min(samples.size(), at + row)));
    }
    put_chunk(file, "IDAT", deflated(rows));
    put_chunk(file, "IEND", {});
    return file;
}

/// Four channels, stored as they are, with Adobe's mark.
inline Bytes cmyk_jpeg(const data::Image& inks, const Bytes& profile = {})
{
    jpeg_error_mgr errors;
    jpeg_compress_struct jpeg = {};
    jpeg.err = jpeg_std_error(&errors);
    jpeg_create_compress(&jpeg);
    unsigned char* memory = nullptr;
    unsigned long size = 0;
    jpeg_mem_dest(&jpeg, &memory, &size);
    jpeg.image_width = JDIMENSION(inks.W);
    jpeg.image_height = JDIMENSION(inks.H);
    jpeg.input_components = 4;
    jpeg.in_color_space = JCS_CMYK;
    jpeg_set_defaults(&jpeg);
    jpeg_set_quality(&jpeg, 100, TRUE);
    jpeg_start_compress(&jpeg, TRUE);
    if (!profile.empty()) jpeg_write_icc_profile(&jpeg, profile.data(), unsigned(profile.size()));
    for (std::int64_t y = 0; y < inks.H; ++y) {
        auto* row = const_cast<JSAMPROW>(inks.at(y, 0));
        jpeg_write_scanlines(&jpeg, &row, 1);
    }
    jpeg_finish_compress(&jpeg);
    jpeg_destroy_compress(&jpeg);
    Bytes out(memory, memory + size);
    std::free(memory);
    return out;
}

} // namespace bifrons::test
