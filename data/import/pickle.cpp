// data/import/pickle.cpp - the machine that runs a pickle.
#include "data/import/pickle.h"

#include "kernels/base/error.h"
#include "kernels/base/utf8.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>

namespace bifrons::data {

namespace {

using Kind = PickledValue::Kind;

template <class T>
T read_number(const char* from, bool is_big_endian)
{
    static_assert(std::endian::native == std::endian::little);
    char bytes[sizeof(T)];
    std::memcpy(bytes, from, sizeof(T));
    if (is_big_endian) std::reverse(bytes, bytes + sizeof(T));
    T value;
    std::memcpy(&value, bytes, sizeof(T));
    return value;
}

/// One name for what versions of numpy and Python call differently.
std::string usual_name(const std::string& name)
{
    for (const auto& [other, usual] :
         {std::pair<std::string, std::string>{"numpy._core.", "numpy.core."}, {"__builtin__.", "builtins."}})
        if (name.rfind(other, 0) == 0) return usual + name.substr(other.size());
    return name;
}

constexpr std::string_view kReconstruct = "numpy.core.multiarray._reconstruct",
                           kScalar = "numpy.core.multiarray.scalar", kFromBuffer = "numpy.core.numeric._frombuffer",
                           kArray = "numpy.ndarray", kArrayType = "numpy.dtype", kEncode = "_codecs.encode",
                           kSet = "builtins.set", kBytes = "builtins.bytes";

/// The numbers of an array that has them in Fortran's order: the first index changes fastest.
std::string in_c_order(const PickledArray& array)
{
    std::string ordered(array.data.size(), '\0');
    const std::vector<std::int64_t>& shape = array.shape;
    for (std::size_t i = 0; i < array.size(); ++i) {
        std::size_t rest = i, from = 0; // indices from the last side to the first, and where Fortran has that number
        std::size_t stride = array.size();
        for (std::size_t axis = shape.size(); axis-- > 0;) {
            const auto side = std::size_t(shape[axis]);
            stride /= side;
            from += rest % side * stride;
            rest /= side;
        }
        std::copy_n(&array.data[from * array.bytes], array.bytes, &ordered[i * array.bytes]);
    }
    return ordered;
}

class Machine {
  public:
    Machine(std::span<const std::uint8_t> bytes, const std::string& name, std::size_t most_values,
            std::deque<PickledValue>& values, std::deque<std::string>& rearranged)
        : bytes_(reinterpret_cast<const char*>(bytes.data()), bytes.size()), name_(name), most_values_(most_values),
          values_(values), rearranged_(rearranged)
    {
    }

    const PickledValue* run()
    {
        for (;;) {
            const auto opcode = std::uint8_t(take(1)[0]);
            if (opcode == '.') return pop();
            step(opcode);
        }
    }

  private:
    [[noreturn]] void refuse(const std::string& what) const
    {
        throw Error(ErrorKind::data, str(name_, ": damaged at byte ", at_, " of its pickled values: ", what));
    }
    void check(bool ok, const char* what) const
    {
        if (!ok) refuse(what);
    }

    std::string_view take(std::uint64_t n)
    {
        check(n <= bytes_.size() - at_, "it ends too early");
        at_ += std::size_t(n);
        return bytes_.substr(at_ - std::size_t(n), std::size_t(n));
    }
    /// A number without sign, of n bytes.
    std::uint64_t count(std::size_t n)
    {
        char wide[8] = {};
        const std::string_view bytes = take(n);
        std::copy(bytes.begin(), bytes.end(), wide);
        return read_number<std::uint64_t>(wide, false);
    }
    std::string_view line()
    {
        const std::size_t end = bytes_.find('\n', at_);
        check(end != bytes_.npos, "it ends too early");
        const std::string_view text = take(end - at_);
        take(1);
        return text;
    }

    PickledValue* make(Kind kind)
    {
        check_number(values_.size());
        values_.emplace_back().kind = kind;
        return &values_.back();
    }
    void check_number(std::size_t values) const
    {
        BIFRONS_CHECK(data, values < most_values_, name_, ": holds more than ", most_values_, " pickled values");
    }
    void push(PickledValue* value)
    {
        check_number(stack_.size());
        stack_.push_back(value);
    }
    void push_number(double number)
    {
        PickledValue* const value = make(Kind::number);
        value->number = number;
        push(value);
    }
    void push_text(Kind kind, std::string_view text)
    {
        PickledValue* const value = make(kind);
        value->text = text;
        push(value);
    }
    PickledValue* top()
    {
        check(stack_.size() > floor(), "a value is missing");
        return stack_.back();
    }
    PickledValue* pop()
    {
        PickledValue* const value = top();
        stack_.pop_back();
        return value;
    }
    std::size_t floor() const { return marks_.empty() ? 0 : marks_.back(); }
    /// All since the last mark.
    std::vector<const PickledValue*> pop_to_mark()
    {
        check(!marks_.empty(), "a mark is missing");
        const auto from = stack_.begin() + std::ptrdiff_t(marks_.back());
        std::vector<const PickledValue*> values(from, stack_.end());
        stack_.erase(from, stack_.end());
        marks_.pop_back();
        return values;
    }

    void push_list(std::vector<const PickledValue*> members)
    {
        PickledValue* const list = make(Kind::list);
        list->members = std::move(members);
        push(list);
    }
    void push_last(std::size_t n)
    {
        std::vector<const PickledValue*> members(n);
        for (std::size_t i = n; i-- > 0;) members[i] = pop();
        push_list(std::move(members));
    }
    void add_to(Kind kind, const std::vector<const PickledValue*>& members)
    {
        PickledValue* const to = top();
        check(to->kind == kind, "values are added to what holds none");
        check(kind == Kind::list || members.size() % 2 == 0, "a key has no value");
        to->members.insert(to->members.end(), members.begin(), members.end());
    }

    void remember(std::uint64_t key) { memo_[key] = top(); }
    void recall(std::uint64_t key)
    {
        const auto found = memo_.find(key);
        check(found != memo_.end(), "a value is recalled that was not remembered");
        push(found->second);
    }

    /// An integer of n bytes, the lowest first, two's complement.
    double whole_number(std::uint64_t n)
    {
        check(n <= 8, "an integer is larger than 8 bytes");
        if (n == 0) return 0;
        const auto unused = unsigned(64 - 8 * n);
        return double(std::int64_t(count(std::size_t(n)) << unused) >> unused);
    }

    void step(std::uint8_t opcode)
    {
        switch (opcode) {
        case 0x80: // PROTO
            check(count(1) <= 5, "its protocol is newer than 5");
            return;
        case 0x95: // FRAME
            take(8);
            return;
        case '(':
            check_number(marks_.size());
            marks_.push_back(stack_.size());
            return;
        case '0':
            pop();
            return;
        case '1':
            pop_to_mark();
            return;
        case '2':
            push(top());
            return;
        case 'N':
            return push(make(Kind::none));
        case 0x88:
        case 0x89: // True, False
            return push_number(opcode == 0x88);
        case 'J':
            return push_number(read_number<std::int32_t>(take(4).data(), false));
        case 'K':
            return push_number(double(count(1)));
        case 'M':
            return push_number(double(count(2)));
        case 0x8a:
            return push_number(whole_number(count(1)));
        case 0x8b:
            return push_number(whole_number(count(4)));
        case 'G':
            return push_number(read_number<double>(take(8).data(), true));
        case 0x8c:
            return push_text(Kind::text, take(count(1)));
        case 'X':
            return push_text(Kind::text, take(count(4)));
        case 0x8d:
            return push_text(Kind::text, take(count(8)));
        case 'C':
        case 'U': // the latter of Python 2
            return push_text(Kind::bytes, take(count(1)));
        case 'B':
        case 'T':
            return push_text(Kind::bytes, take(count(4)));
        case 0x8e:
        case 0x96:
            return push_text(Kind::bytes, take(count(8)));
        default:
            step_with_values(opcode);
        }
    }

    void step_with_values(std::uint8_t opcode)
    {
        switch (opcode) {
        case ']':
        case ')':
        case 0x8f: // empty list, tuple, set
            return push_list({});
        case 'l':
        case 't':
        case 0x91: // list, tuple, frozen set
            return push_list(pop_to_mark());
        case 0x85:
        case 0x86:
        case 0x87:
            return push_last(opcode - 0x84u);
        case 'a': {
            const PickledValue* const member = pop();
            return add_to(Kind::list, {member});
        }
        case 'e':
        case 0x90: {
            const std::vector<const PickledValue*> members = pop_to_mark();
            return add_to(Kind::list, members);
        }
        case '}':
            return push(make(Kind::dict));
        case 'd': {
            std::vector<const PickledValue*> members = pop_to_mark();
            push(make(Kind::dict));
            return add_to(Kind::dict, members);
        }
        case 's': {
            const PickledValue *const value = pop(), *const key = pop();
            return add_to(Kind::dict, {key, value});
        }
        case 'u': {
            const std::vector<const PickledValue*> members = pop_to_mark();
            return add_to(Kind::dict, members);
        }
        case 'q':
            return remember(count(1));
        case 'r':
            return remember(count(4));
        case 0x94:
            return remember(memo_.size());
        case 'h':
            return recall(count(1));
        case 'j':
            return recall(count(4));
        case 'c': {
            const std::string_view module = line();
            return push_name(str(module, ".", line()));
        }
        case 0x93: {
            const PickledValue *const name = pop(), *const module = pop();
            check(name->kind == Kind::text && module->kind == Kind::text, "a name is not text");
            return push_name(str(module->text, ".", name->text));
        }
        case 'R': {
            const PickledValue *const arguments = pop(), *const callee = pop();
            check(callee->kind == Kind::name && arguments->kind == Kind::list, "what is called is not a name");
            return push(made_by(callee->text, arguments->members));
        }
        case 'b': {
            const PickledValue* const state = pop();
            return fill(*top(), *state);
        }
        default:
            refuse(str("opcode ", int(opcode), " is not one of plain values; it may run a program"));
        }
    }

    void push_name(const std::string& full)
    {
        const std::string name = usual_name(full);
        static constexpr std::string_view kKnown[] = {kReconstruct, kScalar, kFromBuffer, kArray,
                                                      kArrayType,   kEncode, kSet,        kBytes};
        const auto known = std::find(std::begin(kKnown), std::end(kKnown), name);
        BIFRONS_CHECK(data, known != std::end(kKnown), name_, ": its pickled values need ", printable(full),
                      ", which may run a program. Only plain values and numpy's arrays of numbers are read.");
        push_text(Kind::name, *known);
    }

    /// What the call would return.
    PickledValue* made_by(std::string_view callee, const std::vector<const PickledValue*>& arguments)
    {
        const auto argument = [&](std::size_t i, Kind kind) -> const PickledValue& {
            check(i < arguments.size() && arguments[i]->kind == kind, "a call has other arguments than numpy's");
            return *arguments[i];
        };
        if (callee == kReconstruct) return make(Kind::array);
        if (callee == kArrayType) return type_of(argument(0, Kind::text).text);
        if (callee == kEncode) return latin1_bytes(argument(0, Kind::text).text);
        if (callee == kBytes && arguments.empty()) return make(Kind::bytes);
        if (callee == kSet) {
            PickledValue* const set = make(Kind::list);
            set->members = argument(0, Kind::list).members;
            return set;
        }
        if (callee == kFromBuffer) {
            PickledValue* const array = make(Kind::array);
            set(*array, argument(1, Kind::array_type), argument(2, Kind::list), argument(0, Kind::bytes).text);
            const std::string_view order = argument(3, Kind::text).text;
            check(arguments.size() == 4 && (order == "C" || order == "F"), "an array has an order of its own");
            if (order == "F") put_in_c_order(array->array);
            return array;
        }
        check(callee == kScalar, "what is called is not a function");
        PickledArray one = argument(0, Kind::array_type).array;
        one.data = argument(1, Kind::bytes).text;
        check(one.data.size() == one.bytes, "a number has another size than its type");
        PickledValue* const number = make(Kind::number);
        number->number = one[0];
        return number;
    }

    PickledValue* type_of(std::string_view text)
    {
        static constexpr std::string_view kKnown[] = {"f4", "f8", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "b1"};
        check(std::find(std::begin(kKnown), std::end(kKnown), text) != std::end(kKnown),
              "an array is not one of numbers");
        PickledValue* const type = make(Kind::array_type);
        type->array.kind = text[0];
        type->array.bytes = std::size_t(text[1] - '0');
        return type;
    }

    /// Protocol 2 writes bytes as text: a character for each.
    PickledValue* latin1_bytes(std::string_view text)
    {
        std::string bytes;
        for (std::size_t i = 0; i < text.size(); ++i) {
            const auto c = std::uint8_t(text[i]);
            check(c < 0xC4 && (c < 0x80 || i + 1 < text.size()), "bytes are written as characters beyond 255");
            bytes += c < 0x80 ? char(c) : char(c << 6 | (std::uint8_t(text[++i]) & 0x3F));
        }
        PickledValue* const value = make(Kind::bytes);
        value->text = keep(std::move(bytes));
        return value;
    }

    void set(PickledValue& array, const PickledValue& type, const PickledValue& shape, std::string_view data)
    {
        constexpr double kLongest = 1 << 30;
        PickledArray filled = type.array;
        constexpr std::size_t kMostSides = 32; // numpy's own limit
        check(shape.members.size() <= kMostSides, "an array has too many dimensions");
        for (const PickledValue* side : shape.members) {
            check(side->kind == Kind::number && side->number >= 0 && side->number <= kLongest,
                  "an array has a side that none has");
            filled.shape.push_back(std::int64_t(side->number));
        }
        const bool is_empty = std::find(filled.shape.begin(), filled.shape.end(), 0) != filled.shape.end();
        std::uint64_t numbers = is_empty ? 0 : 1;
        for (const std::int64_t side : filled.shape) {
            numbers *= std::uint64_t(side);
            check(numbers <= data.size(), "an array has another size than its shape");
        }
        check(numbers * filled.bytes == data.size(), "an array has another size than its shape");
        filled.data = data;
        array.array = std::move(filled);
    }

    /// The state that numpy gave an array (version, shape, type, is in Fortran's order, bytes) or a type (version,
    /// byte order, ...).
    void fill(PickledValue& value, const PickledValue& state)
    {
        const auto& s = state.members;
        check(state.kind == Kind::list && s.size() >= 2, "numpy's state of a value is missing");
        if (value.kind == Kind::array_type) {
            value.array.is_big_endian = s[1]->kind == Kind::text && s[1]->text == ">";
            return;
        }
        check(value.kind == Kind::array && s.size() == 5 && s[1]->kind == Kind::list &&
                  s[2]->kind == Kind::array_type && s[4]->kind == Kind::bytes,
              "numpy's state of an array is another one");
        set(value, *s[2], *s[1], s[4]->text);
        if (s[3]->kind == Kind::number && s[3]->number != 0) put_in_c_order(value.array);
    }

    void put_in_c_order(PickledArray& array) { array.data = keep(in_c_order(array)); }

    /// Of a value that is not in the bytes as it is. Together they are no more than the bytes, unless one is used
    /// twice.
    std::string_view keep(std::string text)
    {
        kept_ += text.size();
        check(kept_ <= bytes_.size(), "it uses the same array or text many times");
        return rearranged_.emplace_back(std::move(text));
    }

    std::string_view bytes_;
    const std::string& name_;
    const std::size_t most_values_;
    std::deque<PickledValue>& values_;
    std::deque<std::string>& rearranged_;
    std::size_t at_ = 0, kept_ = 0;
    std::vector<PickledValue*> stack_;
    std::vector<std::size_t> marks_;
    std::unordered_map<std::uint64_t, PickledValue*> memo_;
};

/// Appends the numbers of a value. A list may hold the same list many times: `left` bounds the work.
void collect(const PickledValue& value, const std::string& name, int depth, int& left, std::vector<double>& numbers)
{
    BIFRONS_CHECK(data, --left >= 0, name, ": has too many numbers");
    if (value.kind == Kind::number) {
        numbers.push_back(value.number);
    } else if (value.kind == Kind::array) {
        BIFRONS_CHECK(data, value.array.size() <= std::size_t(left), name, ": has too many numbers");
        for (std::size_t i = 0; i < value.array.size(); ++i) numbers.push_back(value.array[i]);
        left -= int(value.array.size());
    } else {
        BIFRONS_CHECK(data, value.kind == Kind::list && depth < 3, name, ": is not a list of numbers");
        for (const PickledValue* member : value.members) collect(*member, name, depth + 1, left, numbers);
    }
}

} // namespace

double PickledArray::operator[](std::size_t i) const
{
    const char* const at = data.data() + i * bytes;
    const bool big = is_big_endian;
    switch (kind) {
    case 'f':
        return bytes == 4 ? double(read_number<float>(at, big)) : read_number<double>(at, big);
    case 'i':
        return bytes == 1   ? double(read_number<std::int8_t>(at, big))
               : bytes == 2 ? double(read_number<std::int16_t>(at, big))
               : bytes == 4 ? double(read_number<std::int32_t>(at, big))
                            : double(read_number<std::int64_t>(at, big));
    default: // u, b
        return bytes == 1   ? double(read_number<std::uint8_t>(at, big))
               : bytes == 2 ? double(read_number<std::uint16_t>(at, big))
               : bytes == 4 ? double(read_number<std::uint32_t>(at, big))
                            : double(read_number<std::uint64_t>(at, big));
    }
}

const PickledValue* PickledValue::find(std::string_view key) const
{
    if (kind != Kind::dict) return nullptr;
    for (std::size_t i = members.size(); i >= 2; i -= 2) { // the last one counts
        const PickledValue &name = *members[i - 2], &value = *members[i - 1];
        if (name.kind == Kind::text && name.text == key) return value.kind == Kind::none ? nullptr : &value;
    }
    return nullptr;
}

std::vector<double> PickledValue::numbers(const std::string& name) const
{
    std::vector<double> all;
    int left = 1 << 20;
    collect(*this, name, 0, left, all);
    BIFRONS_CHECK(data, std::all_of(all.begin(), all.end(), [](double v) { return std::isfinite(v); }), name,
                  ": has numbers that are not finite");
    return all;
}

Pickle::Pickle(std::span<const std::uint8_t> bytes, const std::string& name, std::size_t most_values)
{
    value_ = Machine(bytes, name, most_values, values_, rearranged_).run();
}

} // namespace bifrons::data
