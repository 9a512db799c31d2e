#include "engine/safetensors.h"

#include "engine/checkpoint.h"
#include "tests/support/temp_folder.h"

#include <chrono>
#include <cmath>
#include <cstring>
#include <functional>

#include <sys/resource.h>

using namespace bifrons;
using namespace bifrons::test;

namespace {

const float kMatrix[6] = {1, 2, 3, 4, 5, 6};
const std::uint8_t kBytes[3] = {7, 8, 9};
const std::int64_t kCount = -5;
const std::uint64_t kSeed = 0xFFFFFFFFFFFFFFFFull;
const double kExact = 0.1;
const std::uint16_t kHalf[2] = {0x3F80, 0xBF80}; // 1 and -1

void write_sample(const std::string& path)
{
    write_safetensors(path,
                      {{"bytes", DType::u8, {3}, kBytes},
                       {"matrix", DType::f32, {2, 3}, kMatrix},
                       {"count", DType::i64, {}, &kCount},
                       {"seed", DType::u64, {1}, &kSeed},
                       {"exact", DType::f64, {1, 1}, &kExact},
                       {"half", DType::bf16, {2}, kHalf},
                       {"nothing", DType::f32, {0, 4}, nullptr}},
                      {{"zero", "xxh3:0000000000000000"}, {"quote", "\"checksum\":\"xxh3:0000000000000000\""}});
}

/// A file with this header and so many bytes of data.
std::string file_with(const std::string& header, std::size_t data_bytes)
{
    std::string bytes(8, '\0');
    for (int i = 0; i < 8; ++i) bytes[std::size_t(i)] = char(header.size() >> (8 * i));
    return bytes + header + std::string(data_bytes, 'x');
}

/// What the reader says to the bytes; empty if it takes them.
std::string complaint(const std::string& bytes)
{
    TempFolder folder;
    write_bytes(folder / "f.safetensors", bytes);
    try {
        SafetensorsFile file(folder / "f.safetensors");
        return "";
    } catch (const Error& e) {
        EXPECT_EQ(e.kind(), ErrorKind::data);
        EXPECT_NE(std::string(e.what()).find("f.safetensors: "), std::string::npos) << "names the file";
        return e.what();
    }
}

std::string tensor(const std::string& dtype, const std::string& shape, const std::string& offsets)
{
    return R"({"t":{"dtype":")" + dtype + R"(","shape":)" + shape + R"(,"data_offsets":)" + offsets + "}}";
}

TEST(Safetensors, reads_back_what_was_written)
{
    TempFolder folder;
    write_sample(folder / "f");
    const SafetensorsFile file(folder / "f");
    EXPECT_TRUE(file.checked());
    EXPECT_EQ(file.metadata().at("zero"), "xxh3:0000000000000000");
    EXPECT_EQ(file.tensors().size(), 7u);
    const NamedTensor& matrix = file.at("matrix");
    EXPECT_EQ(matrix.shape, (std::vector<std::int64_t>{2, 3}));
    EXPECT_EQ(matrix.dtype, DType::f32);
    EXPECT_EQ(std::memcmp(matrix.data, kMatrix, sizeof kMatrix), 0);
    EXPECT_EQ(std::memcmp(file.at("count").data, &kCount, 8), 0);
    EXPECT_EQ(std::memcmp(file.at("seed").data, &kSeed, 8), 0);
    EXPECT_EQ(std::memcmp(file.at("exact").data, &kExact, 8), 0);
    EXPECT_EQ(std::memcmp(file.at("half").data, kHalf, 4), 0);
    EXPECT_EQ(std::memcmp(file.at("bytes").data, kBytes, 3), 0);
    EXPECT_EQ(file.at("nothing").size(), 0);
    for (const NamedTensor& t : file.tensors())
        EXPECT_EQ(reinterpret_cast<std::uintptr_t>(t.data) % kernels::dtype_bytes(t.dtype), 0u) << t.name;
    EXPECT_THROW(file.at("absent"), Error);
    EXPECT_EQ(read_safetensors_metadata(folder / "f"), file.metadata());
}

TEST(Safetensors, data_follow_the_header_in_the_documented_bytes)
{
    TempFolder folder;
    write_safetensors(folder / "f", {{"a", DType::u8, {3}, kBytes}}, {});
    const std::string bytes = read_bytes(folder / "f");
    const std::size_t header = static_cast<unsigned char>(bytes[0]) + 256u * static_cast<unsigned char>(bytes[1]);
    EXPECT_EQ(header % 8, 0u);
    EXPECT_EQ(bytes.substr(8 + header), "\x07\x08\x09");
    EXPECT_NE(bytes.find(R"("a":{"dtype":"U8","shape":[3],"data_offsets":[0,3]})"), std::string::npos) << bytes;
}

TEST(Safetensors, takes_files_of_others_in_any_order)
{
    const std::string header = R"({"b":{"dtype":"U8","shape":[2],"data_offsets":[4,6]},)"
                               R"("a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}   )";
    EXPECT_EQ(complaint(file_with(header, 6)), "");
}

TEST(Safetensors, values_of_sixteen_bits_become_floats_unchanged)
{
    // 1, -2, 1/3 rounded, the largest, the smallest normal and subnormal, -0, infinity, NaN
    const std::uint16_t half[9] = {0x3C00, 0xC000, 0x3555, 0x7BFF, 0x0400, 0x0001, 0x8000, 0x7C00, 0x7E00};
    const std::vector<float> values = float_values({"h", DType::f16, {9}, half});
    EXPECT_EQ(std::vector<float>(values.begin(), values.begin() + 8),
              (std::vector<float>{1, -2, 0.333251953125f, 65504, 0x1p-14f, 0x1p-24f, -0.0f, INFINITY}));
    EXPECT_TRUE(std::signbit(values[6]));
    EXPECT_TRUE(std::isnan(values[8]));
    EXPECT_EQ(float_values({"b", DType::bf16, {2}, kHalf}), (std::vector<float>{1, -1}));
    EXPECT_EQ(float_values({"m", DType::f32, {2, 3}, kMatrix}), (std::vector<float>{1, 2, 3, 4, 5, 6}));
    EXPECT_THROW(float_values({"n", DType::i64, {}, &kCount}), Error);
}

TEST(Safetensors, names_what_is_wrong_with_a_hostile_file)
{
    const auto says = [](const std::string& bytes, const std::string& part) {
        const std::string text = complaint(bytes);
        EXPECT_NE(text.find(part), std::string::npos) << "\"" << text << "\" should say \"" << part << "\"";
    };
    says("", "is empty");
    says("short", "at least 8");
    says(std::string(8, '\xFF'), "claims a header");
    says(std::string("\x10\0\0\0\0\0\0\0{}", 10), "claims a header of 16 bytes");
    says(file_with("[]", 0), "not a JSON object");
    says(file_with("{", 0), "not a JSON object");
    says(file_with("{\"a\":", 0), "cannot be parsed");
    says(file_with("{\"a\":\"\xFF\"}", 0), "cannot be parsed");
    says(file_with(R"({"__metadata__":{"a":1}})", 0), "is not a string");
    says(file_with(R"({"__metadata__":[]})", 0), "is not a JSON object");
    says(file_with(R"({"t":5})", 0), "has no dtype");
    says(file_with(tensor("F8_E5M2", "[2]", "[0,2]"), 2), "dtype \"F8_E5M2\"; expected F32");
    says(file_with(tensor("F32", "[1]", "[0,8]"), 8), "has 8 bytes; expected 4");
    says(file_with(tensor("F32", "[1]", "[4,0]"), 4), "is at 4..0");
    says(file_with(tensor("F32", "[2]", "[0,8]"), 4), "is at 0..8 of 4");
    says(file_with(tensor("F32", "[1]", "[-4,0]"), 4), "expected a whole number");
    says(file_with(tensor("F32", "[1.5]", "[0,4]"), 4), "expected a whole number");
    says(file_with(tensor("F32", "[-1]", "[0,4]"), 4), "expected a whole number");
    says(file_with(tensor("F32", "[4294967296,4294967296]", "[0,0]"), 0), "impossible shape");
    says(file_with(tensor("U8", "[4611686018427387904,2,0]", "[0,0]"), 0), "impossible shape");
    says(file_with(tensor("F32", "[1]", "[4,8]"), 8), "begins at 4; expected 0");
    says(file_with(tensor("F32", "[1]", "[0,4]"), 5), "its tensors need 4");
    says(file_with(R"({"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]},)"
                   R"("b":{"dtype":"U8","shape":[2],"data_offsets":[1,3]}})",
                   3),
         "begins at 1; expected 2");
    says(file_with(R"({"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},)"
                   R"("a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}})",
                   1),
         "\"a\" occurs twice");
    says(file_with(R"({"__metadata__":{"checksum":"none"}})", 0), "checksum is malformed");
    says(file_with(R"({"__metadata__":{"checksum":"xxh3:0123456789abcdef"}})", 0), "its checksum is");
}

TEST(Safetensors, a_deeply_nested_header_is_refused_without_a_crash)
{
    const std::string deep = std::string(200'000, '[') + std::string(200'000, ']');
    for (const std::string& header :
         {"{\"a\":" + deep + "}", "{\"x\":{\"dtype\":" + deep + ",\"shape\":[],\"data_offsets\":[0,0]}}",
          tensor("F32", deep, "[0,0]"), tensor("F32", "[1]", deep), "{\"__metadata__\":{\"a\":" + deep + "}}"})
        EXPECT_NE(complaint(file_with(header, 0)).find("nested too deep"), std::string::npos);
}

TEST(Safetensors, the_header_has_a_bound)
{
    const std::string text = complaint(file_with('{' + std::string((32 << 20) - 1, ' '), 0));
    EXPECT_NE(text.find("cannot be parsed"), std::string::npos) << text;
    const std::string longer = complaint(file_with('{' + std::string(32 << 20, ' '), 0));
    EXPECT_NE(longer.find("has a header of 33554433 bytes; expected at most 33554432"), std::string::npos) << longer;
}

TEST(Safetensors, time_grows_with_the_number_of_tensors)
{
    std::string header = "{";
    for (int i = 0; i < 50'000; ++i)
        header += (i ? ",\"" : "\"") + std::to_string(i) + R"(":{"dtype":"U8","shape":[1],"data_offsets":[)" +
                  std::to_string(i) + "," + std::to_string(i + 1) + "]}";
    const auto begin = std::chrono::steady_clock::now();
    EXPECT_EQ(complaint(file_with(header + "}", 50'000)), "");
    EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(10)) << "a minute, if each looks at all";
}

TEST(Safetensors, what_is_no_file_is_named)
{
    TempFolder folder;
    EXPECT_THROW(SafetensorsFile(folder.path()), Error);
    EXPECT_THROW(SafetensorsFile(folder / "absent"), Error);
    EXPECT_THROW(SafetensorsFile("/dev/zero"), Error);
}

TEST(Safetensors, want_of_memory_is_not_taken_for_a_damaged_file)
{
#ifdef __SANITIZE_ADDRESS__
    GTEST_SKIP() << "has no bounds for address space";
#endif
    constexpr rlim_t kSpace = rlim_t(1) << 40;
    const TempFolder folder;
    const std::string path = folder / "step-000000002.safetensors";
    write_bytes(path, "x");
    std::filesystem::resize_file(path, 2 * kSpace); // a hole
    rlimit before{};
    getrlimit(RLIMIT_AS, &before);
    const rlimit low{kSpace, before.rlim_max};
    setrlimit(RLIMIT_AS, &low);
    const auto expect_refusal = [](const std::function<void()>& open) {
        try {
            open();
            ADD_FAILURE() << "was read";
        } catch (const Error& e) {
            EXPECT_EQ(e.kind(), ErrorKind::device) << e.what();
            EXPECT_NE(std::string(e.what()).find("takes 2199023255552 bytes"), std::string::npos) << e.what();
        }
    };
    expect_refusal([&] { SafetensorsFile file(path); });
    expect_refusal([&] { load_latest_checkpoint(folder.path(), [](const std::string&) { FAIL() << "not skipped"; }); });
    setrlimit(RLIMIT_AS, &before);
}

TEST(Safetensors, refuses_to_write_a_name_twice)
{
    TempFolder folder;
    const NamedTensor t{"t", DType::f32, {6}, kMatrix};
    EXPECT_THROW(write_safetensors(folder / "f", {t, t}, {}), Error);
    EXPECT_THROW(write_safetensors(folder / "f", {{"__metadata__", DType::f32, {6}, kMatrix}}, {}), Error);
    EXPECT_TRUE(folder.names().empty());
}

TEST(Safetensors, the_python_package_reads_the_same_values)
{
    const char* const python = std::getenv("BIFRONS_PYTHON") ? std::getenv("BIFRONS_PYTHON") : "python3";
    if (std::system((std::string(python) + " -c 'import safetensors.numpy' 2>/dev/null").c_str()) != 0)
        GTEST_SKIP() << python << " has no package safetensors with numpy (another one can be named in BIFRONS_PYTHON)";
    TempFolder folder;
    write_safetensors(folder / "f",
                      {{"bytes", DType::u8, {3}, kBytes},
                       {"matrix", DType::f32, {2, 3}, kMatrix},
                       {"count", DType::i64, {}, &kCount},
                       {"seed", DType::u64, {1}, &kSeed},
                       {"exact", DType::f64, {1, 1}, &kExact}},
                      {{"key", "value"}});
    write_bytes(folder / "check.py", R"(
import sys, numpy
from safetensors import safe_open
with safe_open(sys.argv[1], framework="numpy") as f:
    t = {k: f.get_tensor(k) for k in f.keys()}
    assert f.metadata()["key"] == "value"
assert t["bytes"].tolist() == [7, 8, 9] and t["bytes"].dtype == numpy.uint8
assert t["matrix"].tolist() == [[1, 2, 3], [4, 5, 6]] and t["matrix"].dtype == numpy.float32
assert t["count"].shape == () and t["count"] == -5
assert t["seed"].tolist() == [2**64 - 1] and t["exact"].tolist() == [[0.1]]
)");
    EXPECT_EQ(std::system((std::string(python) + " " + (folder / "check.py") + " " + (folder / "f")).c_str()), 0);
}

} // namespace
