#include "tests/emulator/module.h"

#include "tests/emulator/operations.h"

#include "kernels/base/error.h"

#include <algorithm>
#include <cctype>
#include <cstring>
#include <optional>
#include <set>
#include <utility>

namespace bifrons::emulator {

namespace {

using Text = std::string;
using View = std::string_view;

constexpr View kSpace = " \t\r\n";

View trimmed(View s)
{
    const std::size_t first = s.find_first_not_of(kSpace);
    if (first == View::npos) return {};
    return s.substr(first, s.find_last_not_of(kSpace) - first + 1);
}

/// Up to the first space; `s` loses it.
View take_word(View& s)
{
    s = trimmed(s);
    const std::size_t end = std::min(s.find_first_of(kSpace), s.size());
    const View word = s.substr(0, end);
    s = trimmed(s.substr(end));
    return word;
}

std::vector<Text> split(View s, char separator)
{
    std::vector<Text> parts;
    int depth = 0; // of brackets
    std::size_t begin = 0;
    for (std::size_t at = 0; at <= s.size(); ++at) {
        if (at < s.size() && (s[at] == '{' || s[at] == '[' || s[at] == '(')) ++depth;
        if (at < s.size() && (s[at] == '}' || s[at] == ']' || s[at] == ')')) --depth;
        if (at < s.size() && (s[at] != separator || depth > 0)) continue;
        if (const View part = trimmed(s.substr(begin, at - begin)); !part.empty()) parts.emplace_back(part);
        begin = at + 1;
    }
    return parts;
}

Text without_comments(const Text& ptx)
{
    Text text;
    text.reserve(ptx.size());
    for (std::size_t at = 0; at < ptx.size(); ++at) {
        if (ptx[at] == '/' && ptx[at + 1] == '/') at = std::min(ptx.find('\n', at), ptx.size() - 1);
        if (ptx[at] != '\0') text.push_back(ptx[at]);
    }
    return text;
}

/// Just behind the bracket that closes the one at `open`.
std::size_t behind_bracket(View s, std::size_t open, char opening, char closing)
{
    int depth = 0;
    for (std::size_t at = open; at < s.size(); ++at) {
        if (s[at] == opening) ++depth;
        if (s[at] == closing && --depth == 0) return at + 1;
    }
    throw std::runtime_error("emulator: PTX with an unclosed bracket");
}

bool is_name(char c)
{
    return std::isalnum(static_cast<unsigned char>(c)) || c == '_' || c == '$' || c == '%';
}

std::size_t bytes_of_type(View type)
{
    if (type == ".pred") return 4;
    return std::size_t(std::stoi(Text(type.substr(2)))) / 8;
}

std::size_t aligned(std::size_t at, std::size_t to)
{
    return (at + to - 1) / to * to;
}

/// A declaration ".param .align 8 .b8 name[40]" without its first word.
struct Variable {
    Text name;
    std::size_t bytes = 0, alignment = 1;
    bool unsized = false;
};

Variable read_variable(View declaration)
{
    Variable v;
    std::optional<std::size_t> alignment;
    View word = take_word(declaration);
    if (word == ".align")
        alignment = std::size_t(std::stoi(Text(take_word(declaration)))), word = take_word(declaration);
    if (word == ".ptr") throw std::runtime_error("emulator: .ptr in PTX");
    const std::size_t element = bytes_of_type(word);
    const std::size_t bracket = declaration.find('[');
    v.name = trimmed(declaration.substr(0, bracket));
    v.bytes = element;
    v.alignment = alignment.value_or(element);
    if (bracket != View::npos) {
        const View count = declaration.substr(bracket + 1, declaration.find(']') - bracket - 1);
        v.unsized = count.empty();
        v.bytes = v.unsized ? 0 : element * std::stoul(Text(count));
    }
    return v;
}

/// The names of ".param" declarations in round brackets, with their variables.
std::vector<Variable> read_parameters(View list)
{
    std::vector<Variable> result;
    for (const Text& one : split(list, ',')) {
        View declaration = one;
        if (take_word(declaration) != ".param") throw std::runtime_error("emulator: PTX parameters: " + one);
        result.push_back(read_variable(declaration));
    }
    return result;
}

} // namespace

/// Makes one kernel. Calls are replaced by the function's body.
class KernelReader : Names {
  public:
    KernelReader(const Module& module, const Text& name, const Module::Function& entry) : module_(module)
    {
        kernel_.name = name;
        std::fill_n(kernel_.tid, 3, Instruction::kNone), std::fill_n(kernel_.ntid, 3, Instruction::kNone);
        std::fill_n(kernel_.ctaid, 3, Instruction::kNone), std::fill_n(kernel_.nctaid, 3, Instruction::kNone);
        kernel_.laneid = Instruction::kNone;
        read_header(entry.header);
        scopes_.emplace_back();
        read_body(entry.body);
        kernel_.code.push_back({.kind = Kind::end});
        for (const auto& [at, label] : branches_) {
            if (!labels_.contains(label)) throw std::runtime_error("emulator: PTX without the label " + label);
            kernel_.code[at].target = labels_.at(label);
        }
    }
    Kernel take() { return std::move(kernel_); }

  private:
    struct Scope {
        std::map<Text, std::uint32_t, std::less<>> rows;
        std::map<Text, int, std::less<>> ranges; // prefix of registers -> bytes
    };

    void read_header(View header)
    {
        const std::size_t open = header.find('('), end = behind_bracket(header, open, '(', ')');
        for (const Variable& v : read_parameters(header.substr(open + 1, end - open - 2))) {
            kernel_.parameter_bytes = aligned(kernel_.parameter_bytes, v.alignment);
            symbols_[v.name] = kernel_.parameter_bytes;
            kernel_.parameters.push_back({kernel_.parameter_bytes, v.bytes});
            kernel_.parameter_bytes += v.bytes;
        }
        if (const std::size_t limit = header.find(".maxntid"); limit != View::npos) {
            kernel_.max_threads = 1;
            const View numbers = header.substr(limit + 8, header.find('.', limit + 8) - limit - 8);
            for (const Text& n : split(numbers, ',')) kernel_.max_threads *= unsigned(std::stoul(n));
        }
    }

    void read_body(View body)
    {
        std::size_t at = 0;
        const std::size_t outer = scopes_.size();
        while ((at = body.find_first_not_of(kSpace, at)) != View::npos) {
            if (body[at] == '{') {
                scopes_.emplace_back(), ++at;
            } else if (body[at] == '}') {
                scopes_.pop_back(), ++at;
            } else if (const std::size_t label = label_end(body, at); label != 0) {
                labels_[instance_ + Text(body.substr(at, label - at))] = std::uint32_t(kernel_.code.size());
                at = label + 1;
            } else {
                const std::size_t end = statement_end(body, at);
                read_statement(body.substr(at, end - at));
                at = end + 1;
            }
        }
        if (scopes_.size() != outer) throw std::runtime_error("emulator: PTX with an unclosed scope");
    }

    /// Of "name:" at this place; 0 if there is none.
    static std::size_t label_end(View s, std::size_t at)
    {
        while (at < s.size() && is_name(s[at])) ++at;
        return at + 1 < s.size() && s[at] == ':' && s[at + 1] != ':' ? at : 0;
    }
    static std::size_t statement_end(View s, std::size_t at)
    {
        const std::size_t end = s.find(';', at);
        if (end == View::npos) throw std::runtime_error("emulator: PTX that ends in a statement");
        return end;
    }

    void read_statement(View statement)
    {
        View rest = statement;
        if (statement.front() == '.') {
            const View word = take_word(rest);
            if (word == ".reg") return declare_registers(rest);
            if (word == ".shared") return declare_shared(read_variable(rest));
            if (word == ".local") return declare_local(read_variable(rest));
            if (word == ".param") return declare_call_variable(read_variable(rest));
            if (word == ".pragma") return;
            throw std::runtime_error("emulator: PTX directive: " + Text(statement));
        }
        try {
            read_instruction(statement);
        } catch (const std::exception& e) {
            throw std::runtime_error(str("emulator: \"", statement, "\" in ", kernel_.name, ": ", e.what()));
        }
    }

    void declare_registers(View rest)
    {
        const View type = take_word(rest);
        for (const Text& name : split(rest, ',')) {
            const int bytes = bytes_of_type(type) == 8 ? 8 : 4;
            if (const std::size_t range = name.find('<'); range != Text::npos)
                scopes_.back().ranges[name.substr(0, range)] = bytes;
            else
                scopes_.back().rows[name] = new_row(bytes);
        }
    }
    void declare_shared(const Variable& v)
    {
        kernel_.shared_bytes = aligned(kernel_.shared_bytes, v.alignment);
        symbols_[v.name] = kernel_.shared_bytes;
        kernel_.shared_bytes += v.bytes;
    }
    void declare_local(const Variable& v)
    {
        kernel_.local_bytes = aligned(kernel_.local_bytes, std::max<std::size_t>(v.alignment, 16));
        symbols_[v.name] = kernel_.local_bytes;
        kernel_.local_bytes = aligned(kernel_.local_bytes + v.bytes, 16);
    }
    /// Arguments and results of calls are registers here, as the bodies stand in place of the calls.
    void declare_call_variable(const Variable& v)
    {
        if (v.bytes > 8) throw std::runtime_error("emulator: PTX call with a large argument");
        scopes_.back().rows[v.name] = new_row(v.bytes == 8 ? 8 : 4);
        call_variables_.insert(v.name);
    }

    void read_instruction(View statement)
    {
        Instruction guard;
        View rest = statement;
        if (rest.front() == '@') {
            View predicate = take_word(rest).substr(1);
            guard.guard_negated = predicate.front() == '!';
            if (guard.guard_negated) predicate.remove_prefix(1);
            guard.guard = row(predicate, 4);
        }
        const Text opcode(take_word(rest));
        if (opcode.starts_with("call")) {
            if (guard.guard != Instruction::kNone) throw std::runtime_error("a call with a guard is not emulated");
            return insert_call(rest);
        }
        std::vector<Text> words = split(opcode, '.');
        Instruction i;
        if (words[0] == "ret" && !instance_.empty()) { // of an inserted function
            i.kind = Kind::branch;
            branches_.emplace_back(kernel_.code.size(), instance_ + "end");
        } else {
            i = translate(words, split(rest, ','), *this);
        }
        i.guard = guard.guard, i.guard_negated = guard.guard_negated;
        i.text = std::uint32_t(kernel_.texts.size());
        kernel_.texts.emplace_back(statement);
        kernel_.code.push_back(i);
    }

    /// call (result), function, (arguments)
    void insert_call(View rest)
    {
        const std::vector<Text> parts = split(rest, ',');
        if (parts.size() != 3) throw std::runtime_error("a call of this form is not emulated");
        const auto inside = [](const Text& list) { return split(View(list).substr(1, list.size() - 2), ','); };
        const Module::Function& function = module_.functions_.at(parts[1]);
        const std::size_t results = function.header.find('('),
                          behind = behind_bracket(function.header, results, '(', ')');
        const std::size_t open = function.header.find('(', behind);
        Scope scope;
        const auto bind = [&](View declared, const std::vector<Text>& given) {
            const std::vector<Variable> variables = read_parameters(declared);
            for (std::size_t k = 0; k < given.size(); ++k) {
                scope.rows[variables.at(k).name] = row(given[k], variables[k].bytes == 8 ? 8 : 4);
                call_variables_.insert(variables[k].name);
            }
        };
        bind(function.header.substr(results + 1, behind - results - 2), inside(parts[0]));
        bind(function.header.substr(open + 1, behind_bracket(function.header, open, '(', ')') - open - 2),
             inside(parts[2]));
        scopes_.push_back(scope);
        const Text caller = instance_;
        instance_ = str("call", ++calls_, ":");
        read_body(function.body);
        labels_[instance_ + "end"] = std::uint32_t(kernel_.code.size());
        instance_ = caller;
        scopes_.pop_back();
    }

    std::uint32_t new_row(int bytes)
    {
        const std::size_t place = kernel_.registers.size();
        kernel_.registers.resize(place + std::size_t(bytes * kWarpSize), std::byte(0xa5));
        if (bytes == 8) wide_rows_.insert(std::uint32_t(place));
        return std::uint32_t(place);
    }

    std::uint32_t constant(std::uint64_t value, int bytes)
    {
        const auto [found, inserted] = constants_.try_emplace({value, bytes}, 0);
        if (inserted) {
            found->second = new_row(bytes);
            for (int lane = 0; lane < kWarpSize; ++lane)
                std::memcpy(kernel_.registers.data() + found->second + std::size_t(lane * bytes), &value,
                            std::size_t(bytes));
        }
        return found->second;
    }

    std::uint32_t special(View name)
    {
        const auto place = [&](std::uint32_t& row) {
            if (row == Instruction::kNone) row = new_row(4);
            return row;
        };
        if (name == "%laneid") return place(kernel_.laneid);
        const std::size_t axis = name.ends_with(".x") ? 0 : name.ends_with(".y") ? 1 : 2;
        if (name.starts_with("%tid.")) return place(kernel_.tid[axis]);
        if (name.starts_with("%ntid.")) return place(kernel_.ntid[axis]);
        if (name.starts_with("%ctaid.")) return place(kernel_.ctaid[axis]);
        if (name.starts_with("%nctaid.")) return place(kernel_.nctaid[axis]);
        throw std::runtime_error("no register " + Text(name));
    }

    std::uint32_t register_row(View name)
    {
        const View prefix = name.substr(0, name.find_last_not_of("0123456789") + 1);
        for (auto scope = scopes_.rbegin(); scope != scopes_.rend(); ++scope) {
            if (const auto found = scope->rows.find(name); found != scope->rows.end()) return found->second;
            if (const auto range = scope->ranges.find(prefix); range != scope->ranges.end())
                return scope->rows[Text(name)] = new_row(range->second);
        }
        return special(name);
    }

    bool is_register(View operand) const
    {
        if (operand.front() == '%') return true;
        return std::any_of(scopes_.begin(), scopes_.end(), [&](const Scope& s) { return s.rows.contains(operand); });
    }

    std::optional<std::uint64_t> symbol(View name)
    {
        if (const auto found = symbols_.find(name); found != symbols_.end()) return found->second;
        const auto shared = module_.shared_.find(name);
        if (shared == module_.shared_.end()) return std::nullopt;
        if (shared->second.dynamic) return kDynamicShared;
        declare_shared({Text(name), shared->second.bytes, shared->second.alignment, false});
        return symbols_.at(Text(name));
    }

    std::uint64_t number(View s)
    {
        const Text text(s);
        if (text.starts_with("0f") || text.starts_with("0F") || text.starts_with("0d") || text.starts_with("0D"))
            return std::stoull(text.substr(2), nullptr, 16);
        if (const auto value = symbol(s)) return *value;
        return text.front() == '-' ? std::uint64_t(std::stoll(text, nullptr, 0)) : std::stoull(text, nullptr, 0);
    }

    // ---- Names ----
    std::uint32_t row(View operand, int bytes) override
    {
        if (!is_register(operand)) return constant(number(operand), bytes);
        const std::uint32_t place = register_row(operand);
        if (wide_rows_.contains(place) != (bytes == 8))
            throw std::runtime_error(str(operand, " is not of ", bytes, " bytes"));
        return place;
    }
    bool is_wide(View operand) override { return is_register(operand) && wide_rows_.contains(register_row(operand)); }
    std::uint32_t low_half(View reg) override
    {
        const std::uint32_t half = new_row(4);
        scopes_.back().rows["low_half"] = half;
        read_instruction("cvt.u32.u64 low_half, " + Text(reg));
        return half;
    }
    std::uint32_t address(View operand, Instruction& to) override
    {
        if (operand.front() != '[' || operand.back() != ']') throw std::runtime_error("no address");
        operand = trimmed(operand.substr(1, operand.size() - 2));
        const std::size_t plus = operand.find('+');
        if (plus != View::npos) to.offset = std::stoi(Text(operand.substr(plus + 1)), nullptr, 0);
        const View base = trimmed(operand.substr(0, plus));
        to.wide_address = !is_register(base) || is_wide(base);
        return row(base, to.wide_address ? 8 : 4);
    }
    Text call_variable(View operand) const override
    {
        const View name = operand.substr(1, operand.find_first_of("+]") - 1);
        if (!call_variables_.contains(name)) return {};
        if (const std::size_t plus = operand.find('+'); plus != View::npos && operand.substr(plus) != "+0]")
            throw std::runtime_error("a part of a call's argument is not emulated");
        return Text(name);
    }
    void branch_to(View label) override { branches_.emplace_back(kernel_.code.size(), instance_ + Text(label)); }

    const Module& module_;
    Kernel kernel_;
    std::vector<Scope> scopes_;
    std::set<std::uint32_t> wide_rows_;
    std::map<std::pair<std::uint64_t, int>, std::uint32_t> constants_;
    std::map<Text, std::uint64_t, std::less<>> symbols_;
    std::set<Text, std::less<>> call_variables_;
    std::map<Text, std::uint32_t> labels_;
    std::vector<std::pair<std::size_t, Text>> branches_;
    Text instance_; // of an inserted function; labels of each are its own
    int calls_ = 0;
};

void Module::read_text()
{
    text_ = without_comments(text_);
    const View text = text_;
    std::size_t at = 0;
    while ((at = text.find_first_not_of(kSpace, at)) != View::npos) {
        View rest = text.substr(at);
        const View word = take_word(rest);
        if (word == ".version" || word == ".target" || word == ".address_size") {
            at = std::min(text.find('\n', at), text.size());
            continue;
        }
        const std::size_t end = text.find_first_of(";{", at);
        if (end == View::npos) break;
        const View head = text.substr(at, end - at);
        if (text[end] == '{') {
            const std::size_t behind = behind_bracket(text, end, '{', '}');
            read_function(head, text.substr(end + 1, behind - end - 2));
            at = behind;
            continue;
        }
        at = end + 1;
        const std::size_t shared = head.find(".shared");
        if (shared != View::npos) {
            const Variable v = read_variable(head.substr(shared + 7));
            shared_[v.name] = {v.bytes, v.alignment, v.unsized};
        } else if (head.find(".func") == View::npos) { // a declaration of a function says nothing new
            throw std::runtime_error("emulator: PTX variable: " + Text(head));
        }
    }
}

void Module::read_function(View header, View body)
{
    const std::size_t entry = header.find(".entry");
    if (entry != View::npos) {
        View rest = header.substr(entry + 6);
        entries_[Text(trimmed(rest.substr(0, rest.find('('))))] = {header, body};
        return;
    }
    View rest = trimmed(header.substr(header.find(".func") + 5));
    if (rest.front() != '(') throw std::runtime_error("emulator: PTX function without a result: " + Text(header));
    const std::size_t behind = behind_bracket(rest, 0, '(', ')');
    functions_[Text(trimmed(rest.substr(behind, rest.find('(', behind) - behind)))] = {rest, body};
}

const Kernel* Module::kernel(const std::string& name)
{
    if (!std::exchange(read_, true)) read_text();
    const auto entry = entries_.find(name);
    if (entry == entries_.end()) return nullptr;
    std::unique_ptr<Kernel>& made = kernels_[name];
    if (!made) made = std::make_unique<Kernel>(KernelReader(*this, name, entry->second).take());
    return made.get();
}

} // namespace bifrons::emulator
