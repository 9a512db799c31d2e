// data/export/pickle_writer.cpp - the opcodes of plain values and numpy's arrays.
#include "data/export/pickle_writer.h"

#include <bit>
#include <cstring>

namespace bifrons::data {

namespace {

static_assert(std::endian::native == std::endian::little);

constexpr std::string_view kNone = "N", kFalse = "\x89", kTrue = "\x88";

template <class T>
std::string bytes_of(T number)
{
    std::string bytes(sizeof number, '\0');
    std::memcpy(bytes.data(), &number, sizeof number);
    return bytes;
}

std::string with(char opcode, std::string_view bytes)
{
    return std::string(1, opcode).append(bytes);
}

std::string with_length(char opcode, std::string_view bytes)
{
    return with(opcode, bytes_of(std::uint32_t(bytes.size()))).append(bytes);
}

std::string text(std::string_view utf8)
{
    return with_length('X', utf8);
}

std::string integer(std::int32_t number)
{
    return with('J', bytes_of(number));
}

std::string tuple(const std::string& members)
{
    return with('(', members) + 't';
}

/// What the function of that name returns.
std::string call(const char* module, const char* name, const std::string& arguments)
{
    return std::string("c") + module + '\n' + name + '\n' + tuple(arguments) + 'R';
}

/// numpy's "f8" and the like, with its state: version, byte order, nothing of parts, sizes that its name says.
std::string array_type(const char* type, const char* byte_order)
{
    const std::string state = integer(3) + text(byte_order) + std::string(kNone) + std::string(kNone) +
                              std::string(kNone) + integer(-1) + integer(-1) + integer(0);
    return call("numpy", "dtype", text(type) + std::string(kFalse) + std::string(kTrue)) + tuple(state) + 'b';
}

/// An empty array, then its state: version, shape, type, whether it is in Fortran's order, bytes.
template <class T>
Pickled array(std::span<const T> numbers, const std::vector<std::int32_t>& shape, const std::string& type)
{
    std::string sides;
    for (const std::int32_t side : shape) sides += integer(side);
    const std::string empty =
        call("numpy.core.multiarray", "_reconstruct", "cnumpy\nndarray\n" + tuple(integer(0)) + with_length('B', "b"));
    const std::string_view bytes(reinterpret_cast<const char*>(numbers.data()), numbers.size_bytes());
    return {empty + tuple(integer(1) + tuple(sides) + type + std::string(kFalse) + with_length('B', bytes)) + 'b'};
}

} // namespace

Pickled pickled(std::string_view utf8)
{
    return {text(utf8)};
}

Pickled pickled(double number)
{
    const std::string bytes = bytes_of(number);
    return {with('G', std::string(bytes.rbegin(), bytes.rend()))}; // the highest first
}

Pickled pickled(std::int32_t number)
{
    return {integer(number)};
}

Pickled pickled_flag(bool flag)
{
    return {std::string(flag ? kTrue : kFalse)};
}

Pickled pickled_none()
{
    return {std::string(kNone)};
}

Pickled pickled_list(const std::vector<Pickled>& members)
{
    std::string opcodes = "](";
    for (const Pickled& member : members) opcodes += member.opcodes;
    return {opcodes + 'e'};
}

Pickled pickled_dict(const std::vector<std::pair<std::string, Pickled>>& members)
{
    std::string opcodes = "}(";
    for (const auto& [key, value] : members) opcodes += text(key) + value.opcodes;
    return {opcodes + 'u'};
}

Pickled pickled_array(std::span<const double> numbers, const std::vector<std::int32_t>& shape)
{
    return array(numbers, shape, array_type("f8", "<"));
}

Pickled pickled_array(std::span<const float> numbers, const std::vector<std::int32_t>& shape)
{
    return array(numbers, shape, array_type("f4", "<"));
}

Pickled pickled_array(std::span<const std::uint8_t> numbers, const std::vector<std::int32_t>& shape)
{
    return array(numbers, shape, array_type("u1", "|"));
}

std::string pickle_of(const Pickled& value)
{
    return std::string(kPickleBegin).append(value.opcodes) + '.';
}

} // namespace bifrons::data
