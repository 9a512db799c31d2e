#include "engine/safetensors.h"

#include "engine/atomic_file.h"
#include "engine/json.h"
#include "engine/mapped_file.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <set>

#define XXH_INLINE_ALL
#include <xxhash.h>

namespace bifrons {

namespace {

using Json = nlohmann::json;

constexpr std::uint64_t kLargestHeader = 32 << 20; // as values in memory it is ten times as large
constexpr std::uint64_t kLargestTensor = std::uint64_t(1) << 62;
constexpr const char* kMetadata = "__metadata__";
constexpr const char* kChecksumKey = "checksum";
const std::string kNoChecksum = "xxh3:0000000000000000";

struct DTypeWord {
    DType dtype;
    const char* word;
};
constexpr DTypeWord kDTypes[] = {{DType::f32, "F32"}, {DType::f64, "F64"}, {DType::bf16, "BF16"}, {DType::f16, "F16"},
                                 {DType::u8, "U8"},   {DType::i64, "I64"}, {DType::u64, "U64"}};

const char* dtype_word(DType dtype)
{
    for (const DTypeWord& d : kDTypes)
        if (d.dtype == dtype) return d.word;
    throw Error(ErrorKind::bug, str("safetensors: no word for dtype ", kernels::dtype_name(dtype)));
}

/// IEEE 754 binary16: 5 bits of exponent with a bias of 15, 10 of the fraction.
float value_of_f16(std::uint32_t bits)
{
    const int exponent = int(bits >> 10 & 31), fraction = int(bits & 1023);
    float magnitude = std::ldexp(float(exponent ? 1024 + fraction : fraction), (exponent ? exponent : 1) - 25);
    if (exponent == 31) magnitude = fraction ? NAN : INFINITY;
    return bits >> 15 ? -magnitude : magnitude;
}

/// XXH3-64 as "xxh3:" and 16 hexadecimal digits.
std::string checksum_text(XXH64_hash_t hash)
{
    char text[32];
    std::snprintf(text, sizeof text, "xxh3:%016llx", static_cast<unsigned long long>(hash));
    return text;
}

/// Where the checksum is in a header. Quotes inside other texts are escaped, so nothing else reads like this.
std::size_t find_checksum(const std::string& head, const std::string& checksum)
{
    const std::string key = '"' + std::string(kChecksumKey) + "\":\"";
    const std::size_t at = head.find(key + checksum + '"');
    return at == std::string::npos ? at : at + key.size();
}

// ---- writing -------------------------------------------------------------------------------------------------------

std::string header_text(const std::vector<const NamedTensor*>& tensors, const Metadata& metadata)
{
    nlohmann::ordered_json header; // in the order of the data
    header[kMetadata] = metadata;
    header[kMetadata][kChecksumKey] = kNoChecksum;
    std::uint64_t offset = 0;
    for (const NamedTensor* t : tensors) {
        BIFRONS_CHECK(bug, !header.contains(t->name), "safetensors: the name \"", t->name,
                      "\" is used twice or reserved");
        header[t->name] = {
            {"dtype", dtype_word(t->dtype)}, {"shape", t->shape}, {"data_offsets", {offset, offset + t->bytes()}}};
        offset += t->bytes();
    }
    std::string text = header.dump(-1, ' ', false, Json::error_handler_t::replace);
    text.resize((text.size() + 7) / 8 * 8, ' ');
    return text;
}

/// Length and header as they are in the file, without the checksum.
std::string prefix(const std::string& header)
{
    const std::uint64_t length = header.size();
    std::string bytes(8, '\0');
    for (int i = 0; i < 8; ++i) bytes[std::size_t(i)] = char(length >> (8 * i));
    return bytes + header;
}

// ---- reading -------------------------------------------------------------------------------------------------------

/// What is known about a file while it is checked.
struct Reader {
    const std::string& path;
    const unsigned char* bytes;
    std::uint64_t size;

    template <class... Parts>
    [[noreturn]] void refuse(const Parts&... parts) const
    {
        throw Error(ErrorKind::data, str(path, ": ", parts..., ". The file is damaged or not a safetensors file."));
    }

    std::uint64_t header_length() const
    {
        if (size < 8) refuse("has ", size, " bytes; expected at least 8");
        std::uint64_t length = 0;
        for (int i = 0; i < 8; ++i) length |= std::uint64_t(bytes[i]) << (8 * i);
        if (length > size - 8) refuse("claims a header of ", length, " bytes, but has ", size, " bytes in all");
        if (length > kLargestHeader) refuse("has a header of ", length, " bytes; expected at most ", kLargestHeader);
        return length;
    }

    /// The parser itself keeps one of two equal names.
    void refuse_repeated_names(std::string_view header) const
    {
        std::set<std::string> names;
        const auto note = [&](int depth, Json::parse_event_t event, Json& value) {
            if (event == Json::parse_event_t::key && depth == 1)
                if (!names.insert(value.get<std::string>()).second) refuse("the name ", shown(value), " occurs twice");
            return depth == 0; // what is kept would be searched with every further name
        };
        parse_json(header, path, note);
    }

    Json parse_header(std::uint64_t length) const
    {
        const char* text = reinterpret_cast<const char*>(bytes) + 8;
        if (length < 2 || text[0] != '{') refuse("the header is not a JSON object");
        const Json header = json_or_discarded({text, length});
        if (!header.is_object()) refuse("the header cannot be parsed as JSON, or is nested too deep");
        refuse_repeated_names({text, length});
        return header;
    }

    Metadata read_metadata(const Json& header) const
    {
        Metadata metadata;
        if (!header.contains(kMetadata)) return metadata;
        if (!header[kMetadata].is_object()) refuse(kMetadata, " is not a JSON object");
        for (const auto& [key, value] : header[kMetadata].items()) {
            if (!value.is_string()) refuse("metadata \"", key, "\" is not a string");
            metadata[key] = value.get<std::string>();
        }
        return metadata;
    }

    std::uint64_t whole_number(const Json& value, const std::string& of) const
    {
        if (!value.is_number_unsigned()) refuse(of, " is ", shown(value), "; expected a whole number");
        return value.get<std::uint64_t>();
    }

    DType read_dtype(const Json& value, const std::string& of) const
    {
        for (const DTypeWord& d : kDTypes)
            if (value == d.word) return d.dtype;
        throw Error(ErrorKind::data, str(path, ": tensor \"", of, "\" has dtype ", shown(value),
                                         "; expected F32, F64, BF16, F16, U8, I64 or U64. Convert it first."));
    }

    /// One tensor; `data` is what follows the header.
    NamedTensor read_tensor(const std::string& name, const Json& entry, std::uint64_t data, std::uint64_t& begin,
                            std::uint64_t& end) const
    {
        const std::string of = "tensor \"" + name + "\"";
        if (!entry.is_object() || !entry.contains("dtype") || !entry.contains("shape") ||
            !entry.contains("data_offsets") || !entry["shape"].is_array() || !entry["data_offsets"].is_array() ||
            entry["data_offsets"].size() != 2)
            refuse(of, " has no dtype, shape or data_offsets");
        NamedTensor t{name, read_dtype(entry["dtype"], name), {}, nullptr};
        begin = whole_number(entry["data_offsets"][0], of + " begin");
        end = whole_number(entry["data_offsets"][1], of + " end");
        if (begin > end || end > size - data) refuse(of, " is at ", begin, "..", end, " of ", size - data, " bytes");
        std::uint64_t expected = kernels::dtype_bytes(t.dtype);
        for (const Json& dim : entry["shape"]) {
            const std::uint64_t n = whole_number(dim, of + " shape");
            if (__builtin_mul_overflow(expected, n, &expected) || expected > kLargestTensor)
                refuse(of, " has the impossible shape ", shown(entry["shape"]));
            t.shape.push_back(std::int64_t(n));
        }
        if (expected != end - begin) refuse(of, " has ", end - begin, " bytes; expected ", expected, " from its shape");
        t.data = bytes + data + begin;
        return t;
    }

    /// All tensors in the order of their data, which they must cover without gap or overlap.
    std::vector<NamedTensor> read_tensors(const Json& header, std::uint64_t data) const
    {
        struct Placed {
            std::uint64_t begin, end;
            NamedTensor tensor;
        };
        std::vector<Placed> placed;
        for (const auto& [name, entry] : header.items()) {
            if (name == kMetadata) continue;
            Placed p{};
            p.tensor = read_tensor(name, entry, data, p.begin, p.end);
            placed.push_back(std::move(p));
        }
        std::stable_sort(placed.begin(), placed.end(), [](const Placed& a, const Placed& b) {
            return std::pair(a.begin, a.end) < std::pair(b.begin, b.end);
        });
        std::uint64_t covered = 0;
        std::vector<NamedTensor> tensors;
        for (Placed& p : placed) {
            if (p.begin != covered)
                refuse("tensor \"", p.tensor.name, "\" begins at ", p.begin, "; expected ", covered);
            covered = p.end;
            tensors.push_back(std::move(p.tensor));
        }
        if (covered != size - data) refuse("holds ", size - data, " bytes of data; its tensors need ", covered);
        return tensors;
    }

    /// The checksum of the file as it is, with the digits of the stored one as zeros.
    std::string compute_checksum(const std::string& stored, std::uint64_t data) const
    {
        std::string head(reinterpret_cast<const char*>(bytes), std::size_t(data));
        const std::size_t at = find_checksum(head, stored);
        if (stored.size() != kNoChecksum.size() || at == std::string::npos) refuse("its checksum is malformed");
        head.replace(at, stored.size(), kNoChecksum);
        XXH3_state_t state;
        XXH3_64bits_reset(&state);
        XXH3_64bits_update(&state, head.data(), head.size());
        XXH3_64bits_update(&state, bytes + data, std::size_t(size - data));
        return checksum_text(XXH3_64bits_digest(&state));
    }
};

const char* const kExpected = "a safetensors file";

} // namespace

std::int64_t NamedTensor::size() const
{
    std::int64_t n = 1;
    for (const std::int64_t dim : shape) n *= dim;
    return n;
}

void write_safetensors(const std::string& path, const std::vector<NamedTensor>& tensors, const Metadata& metadata)
{
    std::vector<const NamedTensor*> order;
    for (const NamedTensor& t : tensors) order.push_back(&t);
    std::stable_sort(order.begin(), order.end(), [](const NamedTensor* a, const NamedTensor* b) {
        return kernels::dtype_bytes(a->dtype) > kernels::dtype_bytes(b->dtype);
    });

    std::string head = prefix(header_text(order, metadata));
    XXH3_state_t state;
    XXH3_64bits_reset(&state);
    XXH3_64bits_update(&state, head.data(), head.size());
    for (const NamedTensor* t : order) XXH3_64bits_update(&state, t->data, t->bytes());
    head.replace(find_checksum(head, kNoChecksum), kNoChecksum.size(), checksum_text(XXH3_64bits_digest(&state)));

    AtomicFile file(path);
    file.write(head.data(), head.size());
    for (const NamedTensor* t : order) file.write(t->data, t->bytes());
    file.commit();
}

SafetensorsFile::SafetensorsFile(const std::string& path) : path_(path)
{
    const MappedFile file(path, kExpected);
    mapping_ = file.shared();
    const Reader reader{path_, file.bytes().data(), file.bytes().size()};
    const std::uint64_t length = reader.header_length(), data = 8 + length;
    const Json header = reader.parse_header(length);
    metadata_ = reader.read_metadata(header);
    tensors_ = reader.read_tensors(header, data);
    if (const auto stored = metadata_.find(kChecksumKey); stored != metadata_.end()) {
        const std::string computed = reader.compute_checksum(stored->second, data);
        if (computed != stored->second) reader.refuse("its checksum is ", computed, "; expected ", stored->second);
        checked_ = true;
    }
}

Metadata read_safetensors_metadata(const std::string& path)
{
    const MappedFile file(path, kExpected);
    const Reader reader{path, file.bytes().data(), file.bytes().size()};
    return reader.read_metadata(reader.parse_header(reader.header_length()));
}

const NamedTensor& SafetensorsFile::at(const std::string& name) const
{
    for (const NamedTensor& t : tensors_)
        if (t.name == name) return t;
    throw Error(ErrorKind::data, str(path_, ": has no tensor \"", name, "\""));
}

std::vector<float> float_values(const NamedTensor& t)
{
    const std::size_t element = kernels::dtype_bytes(t.dtype);
    std::vector<float> values(std::size_t(t.size()));
    for (std::size_t i = 0; i < values.size(); ++i) {
        std::uint32_t bits = 0;
        std::memcpy(&bits, static_cast<const char*>(t.data) + i * element, std::min(element, sizeof bits));
        if (t.dtype == DType::f16)
            values[i] = value_of_f16(bits);
        else if (t.dtype == DType::f32 || t.dtype == DType::bf16)
            values[i] = std::bit_cast<float>(t.dtype == DType::f32 ? bits : bits << 16);
        else
            throw Error(ErrorKind::data, str("tensor \"", t.name, "\" is ", kernels::dtype_name(t.dtype),
                                             "; expected f32, bf16 or f16"));
    }
    return values;
}

} // namespace bifrons
