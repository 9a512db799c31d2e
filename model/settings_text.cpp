#include "model/settings_table.h"

#include "engine/json.h"
#include "kernels/base/error.h"
#include "kernels/base/utf8.h"

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <fstream>

#include <toml++/toml.h>

namespace bifrons::model {

namespace {

constexpr std::size_t kLongestFile = 1 << 20; // bytes

/// The text as the kind of value that the row takes.
SettingValue parse_value(const SettingRow& row, const std::string& text, const std::string& where)
{
    const char *const begin = text.data(), *const end = begin + text.size();
    std::int64_t whole = 0;
    double number = 0;
    if (std::holds_alternative<std::string Settings::*>(row.member)) return text;
    if (text == "true" || text == "false") return text == "true";
    if (const auto p = std::from_chars(begin, end, whole); p.ec == std::errc() && p.ptr == end) return whole;
    if (const auto p = std::from_chars(begin, end, number); p.ec == std::errc() && p.ptr == end) return number;
    refuse_value(row, '"' + text + '"', where);
}

SettingValue toml_value(const SettingRow& row, const toml::node& node, const std::string& where)
{
    if (const auto* b = node.as_boolean()) return b->get();
    if (const auto* i = node.as_integer()) return i->get();
    if (const auto* d = node.as_floating_point()) return d->get();
    if (const auto* s = node.as_string()) return s->get();
    refuse_value(row, "not a number, text, true or false", where);
}

SettingValue json_value(const SettingRow& row, const nlohmann::json& json, const std::string& where)
{
    if (json.is_boolean()) return json.get<bool>();
    if (json.is_number_integer()) return json.get<std::int64_t>();
    if (json.is_number_float()) return json.get<double>();
    if (json.is_string()) return json.get<std::string>();
    refuse_value(row, shown(json), where);
}

} // namespace

std::string apply_assignment(Settings& settings, const std::string& assignment)
{
    const std::size_t equals = assignment.find('=');
    BIFRONS_CHECK(usage, equals != std::string::npos && equals > 0, "--set ", assignment, "; expected key=value");
    const std::string name = assignment.substr(0, equals), where = "--set " + assignment;
    const SettingRow& row = require_row(name, where);
    set(settings, row, parse_value(row, assignment.substr(equals + 1), where), where);
    return name;
}

namespace {

/// Refuses what toml++ 3.3 is undefined for: letters beyond ASCII outside of a text that is a whole value, or a
/// comment; texts of several lines; brackets in brackets.
void check_letters(const std::string& text, const std::string& origin)
{
    char inside = 0;  // of a text or a comment: what it begins with
    char last = '\n'; // outside of both, but for spaces
    bool escaped = false;
    int line = 1, equals = 0; // of this line
    const auto check_here = [&](bool ok, const char* fault) {
        BIFRONS_CHECK(data, ok, origin, ":", line, ": ", fault);
    };
    const std::size_t begin = text.rfind("\xEF\xBB\xBF", 0) == 0 ? 3 : 0; // the mark that some editors write
    for (std::size_t i = begin, length = 0; i < text.size(); i += length) {
        length = utf8_length(text, i);
        check_here(length > 0, "is not UTF-8; expected a TOML file of settings");
        check_here(inside || length == 1, "has a letter beyond ASCII outside of a text or comment");
        const char c = text[i];
        const bool is_quote = !inside && (c == '"' || c == '\'');
        check_here(!is_quote || (last == '=' && equals == 1),
                   "has a quote where no text can begin; expected key = \"text\"");
        check_here(!is_quote || text.compare(i, 3, std::string(3, c)) != 0,
                   "a text begins with three quotes; expected one");
        check_here(inside || c != '[' || last != '[', "has brackets in brackets; expected key = value");
        if (!inside && c != ' ' && c != '\t') last = c;
        if (!inside && c == '=') ++equals;
        if (c == '\n') {
            inside = 0;
            equals = 0;
            ++line;
        } else if (is_quote || (!inside && c == '#')) {
            inside = c;
        } else if (c == inside && c != '#' && !escaped) {
            inside = 0;
        }
        escaped = inside == '"' && c == '\\' && !escaped;
    }
}

} // namespace

std::vector<std::string> apply_toml(Settings& settings, const std::string& text, const std::string& origin)
{
    check_letters(text, origin);
    toml::table table;
    try {
        table = toml::parse(text, origin);
    } catch (const toml::parse_error& e) {
        throw Error(ErrorKind::data, str(origin, ":", e.source().begin.line, ": ", e.description()));
    }
    std::vector<std::string> names;
    for (auto&& [key, node] : table) {
        if (key.str() == "preset" && node.is_table()) continue; // what a preset says of itself
        const std::string where = str(origin, ":", node.source().begin.line);
        const SettingRow& row = require_row(names.emplace_back(key.str()), where);
        set(settings, row, toml_value(row, node, where), where);
    }
    return names;
}

std::vector<std::string> apply_toml_file(Settings& settings, const std::string& path)
{
    std::ifstream in(path);
    BIFRONS_CHECK(data, in && !std::filesystem::is_directory(path), path,
                  ": cannot be read; expected a TOML file of settings");
    std::string text(kLongestFile + 1, '\0'); // a device or a pipe may have no end
    in.read(text.data(), std::streamsize(text.size()));
    text.resize(std::size_t(in.gcount()));
    BIFRONS_CHECK(data, text.size() <= kLongestFile, path, ": has more than ", kLongestFile,
                  " bytes; expected a TOML file of settings");
    BIFRONS_CHECK(data, text.find('\0') == std::string::npos, path,
                  ": is a binary file; expected a TOML file of settings");
    return apply_toml(settings, text, path);
}

std::string to_json(const Settings& settings)
{
    nlohmann::ordered_json json = nlohmann::ordered_json::object();
    for (const SettingRow& row : settings_table())
        std::visit([&](auto member) { json[row.name] = settings.*member; }, row.member);
    return json.dump();
}

Settings from_json(const std::string& text, const std::string& origin)
{
    const nlohmann::json json = json_or_discarded(text);
    BIFRONS_CHECK(data, json.is_object(), origin, ": its settings are not a JSON object. The file is damaged.");
    Settings settings;
    for (const auto& [name, value] : json.items()) {
        const SettingRow* row = find_row(name);
        BIFRONS_CHECK(data, row, origin, ": has the unknown setting \"", name,
                      "\". It was written by another version of Bifrons.");
        try {
            set(settings, *row, json_value(*row, value, origin), origin);
        } catch (const Error& e) {
            throw Error(ErrorKind::data, e.what());
        }
    }
    return settings;
}

} // namespace bifrons::model
