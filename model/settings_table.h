// model/settings_table.h - the table of settings, which settings_text.cpp reads and writes by.
#pragma once

#include "model/settings.h"

#include <string>
#include <variant>
#include <vector>

namespace bifrons::model {

using SettingValue = std::variant<bool, std::int64_t, double, std::string>;
using SettingMember =
    std::variant<bool Settings::*, std::int64_t Settings::*, double Settings::*, std::string Settings::*>;

struct SettingRow {
    const char* name;
    SettingMember member;
    double low, high;               // numbers
    std::vector<std::string> words; // texts; none: any text
    bool fixed;
    const char* help;
};

/// The rows of all topics.
const std::vector<SettingRow>& settings_table();

/// The row of that name; null if there is none.
const SettingRow* find_row(const std::string& name);
/// The same; throws Error(usage). `where` is what an error begins with: "--set", "train.toml:14", ...
const SettingRow& require_row(const std::string& name, const std::string& where);

/// Puts a value of any kind into its member; a whole number does for a number. Throws Error(usage).
void set(Settings& settings, const SettingRow& row, SettingValue value, const std::string& where);

/// Throws the Error(usage) of a value that the row does not take.
[[noreturn]] void refuse_value(const SettingRow& row, const std::string& is, const std::string& where);

} // namespace bifrons::model
