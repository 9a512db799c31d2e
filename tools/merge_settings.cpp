#include "tools/merge_settings.h"

#include "kernels/base/suggest.h"
#include "kernels/base/words.h"
#include "tools/options.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <memory>
#include <sstream>

#include <CLI/CLI.hpp>
#include <toml++/toml.h>

namespace bifrons::tools {

namespace {

/// What the options write to.
struct Raw {
    data::MergeOptions merge = {};
    std::string mask = data::name_of(merge.mask), color = "auto", blend = data::name_of(merge.blend);
};

/// "6", or "4,12,4,4" for top, bottom, left and right.
std::optional<data::Sides> sides_of(const std::string& text, double low, double high)
{
    std::vector<double> values;
    for (const std::string& word : split(text)) {
        double value = 0;
        const bool good = CLI::detail::lexical_cast(word, value) && value >= low && value <= high; // NaN: no
        if (!good) return {};
        values.push_back(value);
    }
    if (values.size() == 1) return data::Sides(values[0]);
    if (values.size() == 4) return data::Sides(values[0], values[1], values[2], values[3]);
    return {};
}

template <class T>
void sides(CLI::App& app, const std::string& name, T& value, double low, double high, const std::string& help)
{
    const auto check = [=](std::string& text) {
        if (sides_of(text, low, high)) return std::string();
        return str("is ", text, "; expected one number in ", low, "..", high, ", or four with commas");
    };
    app.add_option_function<std::string>(
           name, [&value, low, high](const std::string& text) { value = *sides_of(text, low, high); },
           help + "; or four for the face's top,bottom,left,right")
        ->type_name(str(low, "..", high))
        ->check(CLI::Validator(check, ""));
}

void declare(CLI::App& app, Raw& raw)
{
    data::MergeOptions& m = raw.merge;
    choice(app, "--mask", raw.mask, {"hull", "predicted", "product"},
           "region to replace: hull of the landmarks (or the mask that a face of --faceset has of its own), mask "
           "predicted by the model, or product of both");
    sides(app, "--erode", m.erode_px, -100, 100,
          str("shrink the mask by this, px of a 256 px face; negative grows it (default ",
              data::default_erode(data::BlendKind::feather), ", ", data::default_erode(data::BlendKind::poisson),
              " with --blend poisson)"));
    sides(app, "--feather", m.feather_px, 0, 100,
          str("width of the mask's soft edge, px of a 256 px face (default ", m.feather_px.top, ")"));
    choice(app, "--color", raw.color, {"auto", "none", "rct", "lct", "mkl", "idt", "sot"},
           "colour transfer to the face: mean and deviation (rct), covariance too (lct, mkl), distribution "
           "(idt, sot); auto: the one that fits the first faces best");
    number(app, "--alpha", m.alpha, 0.0, 1.0, "strength of the colour transfer");
    number(app, "--beta", m.beta, 0.0, 1.0, "strength of the light adjustment: the frame's shading on the face");
    number(app, "--sharpen", m.sharpen, 0.0, 1.0,
           "sharpen the face up to this share of the sharpness of the frame's own face; 0: off");
    number(app, "--noise", m.noise, 0.0, 1.0, "add noise to the face up to this share of the frame's noise; 0: off");
    number(app, "--compress", m.compress, 0.0, 1.0,
           "compress the face as JPEG does, to match compressed footage; 0: off");
    number(app, "--motion-blur", m.motion_blur, 0.0, 1.0,
           "blur the face along its motion, over this share of its way from frame to frame; a film camera has 0.5");
    number(app, "--scale", m.scale, 0.5, 2.0, "size of the pasted face");
    number(app, "--shift-x", m.shift_x, -50.0, 50.0,
           "move the pasted face to the right, % of the face picture's width");
    number(app, "--shift-y", m.shift_y, -50.0, 50.0, "move the pasted face down, % of the face picture's height");
    number(app, "--exclude", m.exclude, 0.0, 1.0,
           "leave alone what is in front of the face: what has not the skin's colour and differs from what the network "
           "draws; 0: off");
    number(app, "--opacity", m.opacity, 0.0, 1.0, "opacity of the pasted face");
    choice(app, "--blend", raw.blend, {"none", "feather", "poisson"},
           "how the edge is blended: not at all, by a soft mask, or by Poisson (seamless cloning)");
}

MergeSettings settings_of(const Raw& raw)
{
    MergeSettings settings{.options = raw.merge, .choose_color = raw.color == "auto"};
    settings.options.mask = data::mask_kind_of(raw.mask);
    settings.options.blend = data::blend_kind_of(raw.blend);
    if (!settings.choose_color) settings.options.color = data::color_kind_of(raw.color);
    return settings;
}

/// The settings that these words of a command line give. where: what an error begins with.
MergeSettings parse(const std::vector<std::string>& words, const std::string& where)
{
    CLI::App app;
    Raw raw;
    declare(app, raw);
    for (CLI::Option* option : app.get_options({})) option->multi_option_policy(CLI::MultiOptionPolicy::TakeLast);
    std::vector<const char*> argv = {"merge"};
    for (const std::string& word : words) argv.push_back(word.c_str());
    try {
        app.parse(int(argv.size()), argv.data());
    } catch (const CLI::ParseError& e) {
        throw Error(ErrorKind::usage, str(where, ": ", std::string(e.what()).substr(2)));
    }
    return settings_of(raw);
}

std::vector<std::string> names()
{
    CLI::App app;
    Raw raw;
    declare(app, raw);
    std::vector<std::string> all;
    for (const CLI::Option* option : app.get_options({}))
        if (option->get_lnames()[0] != "help") all.push_back(option->get_lnames()[0]);
    return all;
}

std::string where_of(const std::string& file, const toml::node& node)
{
    return str(file, ":", node.source().begin.line);
}

toml::table read(const std::string& file)
{
    const std::vector<std::uint8_t> bytes = data::read_file(file);
    const std::string text(bytes.begin(), bytes.end());
    BIFRONS_CHECK(data, text.find('\0') == std::string::npos, file,
                  ": is a binary file; expected a TOML file of settings");
    try {
        return toml::parse(text, file);
    } catch (const toml::parse_error& e) {
        throw Error(ErrorKind::data, str(file, ":", e.source().begin.line, ": ", e.description()));
    }
}

/// "--erode", "6" of a line `erode = 6`; checked.
void add_words(const std::string& file, const std::string& key, const toml::node& node, std::vector<std::string>& words)
{
    const std::vector<std::string> known = names();
    const std::string where = where_of(file, node);
    BIFRONS_CHECK(usage, std::find(known.begin(), known.end(), key) != known.end(), where, ": unknown setting \"", key,
                  "\"", did_you_mean(key, known), " `bifrons merge --help` lists them.");
    std::ostringstream value;
    if (node.is_string()) value << node.as_string()->get();
    if (node.is_integer()) value << node.as_integer()->get();
    if (node.is_floating_point()) value << node.as_floating_point()->get();
    if (const toml::array* list = node.as_array())
        for (const toml::node& element : *list)
            value << (&element == &list->front() ? "" : ",") << element.value<double>().value_or(std::nan(""));
    // With "=", so that a value that begins with a dash is not taken for an option.
    const std::vector<std::string> here = {"--" + key + "=" + value.str()};
    parse(here, where);
    words.insert(words.end(), here.begin(), here.end());
}

std::int64_t frame_number(const std::string& file, const toml::table& range, const char* key)
{
    const toml::node* node = range.get(key);
    BIFRONS_CHECK(usage, node && node->is_integer() && node->as_integer()->get() >= 0,
                  where_of(file, node ? *node : range), ": [[frames]] needs ", key,
                  "; expected the number of a frame, counted from 0");
    return node->as_integer()->get();
}

/// Of a word "--erode=6".
std::string key_of(const std::string& word)
{
    return word.substr(2, word.find('=') - 2);
}

std::string toml_line(const std::string& word)
{
    const std::string key = key_of(word), value = word.substr(word.find('=') + 1);
    double number = 0;
    const auto end = std::from_chars(value.data(), value.data() + value.size(), number);
    const bool is_number = end.ec == std::errc() && end.ptr == value.data() + value.size();
    return key + " = " + (is_number ? value : '"' + value + '"') + "\n";
}

} // namespace

std::function<MergePlan(const std::string&, std::int64_t)> merge_options(CLI::App& app)
{
    const auto raw = std::make_shared<Raw>(); // what the options write to; they are read by their names
    declare(app, *raw);
    return [raw, &app](const std::string& file, std::int64_t frames) {
        std::vector<std::string> given;
        for (const std::string& name : names())
            if (const CLI::Option* option = app.get_option("--" + name); option->count() > 0)
                given.push_back("--" + name + "=" + option->results().back());
        return MergePlan(given, file, frames);
    };
}

MergePlan::MergePlan(const Words& given, const std::string& file, std::int64_t frames)
{
    toml::table table;
    if (!file.empty()) table = read(file);
    for (auto&& [key, node] : table)
        if (key.str() != "frames") add_words(file, std::string(key.str()), node, words_);
    for (const std::string& word : given)
        std::erase_if(words_, [&](const std::string& other) { return key_of(other) == key_of(word); });
    words_.insert(words_.end(), given.begin(), given.end());
    settings_ = parse(words_, "merge");

    const toml::node* ranges = table.get("frames");
    if (!ranges) return;
    BIFRONS_CHECK(usage, ranges->is_array_of_tables(), where_of(file, *ranges),
                  ": frames is not a list of tables; expected [[frames]] with from and to");
    for (const toml::node& node : *ranges->as_array()) {
        const toml::table& t = *node.as_table();
        Range range{frame_number(file, t, "from"), frame_number(file, t, "to"), {}, {}};
        for (auto&& [key, value] : t)
            if (key.str() != "from" && key.str() != "to") add_words(file, std::string(key.str()), value, range.words);
        std::vector<std::string> all = words_;
        all.insert(all.end(), range.words.begin(), range.words.end());
        range.settings = parse(all, where_of(file, node));
        add_range(std::move(range), where_of(file, node), frames);
    }
}

void MergePlan::add_range(Range range, const std::string& where, std::int64_t frames)
{
    BIFRONS_CHECK(usage, range.from <= range.to && range.to < frames, where, ": frames ", range.from, " to ", range.to,
                  "; expected a range within 0 to ", frames - 1);
    for (const Range& other : ranges_)
        BIFRONS_CHECK(usage, range.to < other.from || other.to < range.from, where, ": frames ", range.from, " to ",
                      range.to, " overlap the range ", other.from, " to ", other.to,
                      "; expected each frame in one at most");
    ranges_.push_back(std::move(range));
}

const MergeSettings& MergePlan::at(std::int64_t frame) const
{
    for (const Range& range : ranges_)
        if (range.from <= frame && frame <= range.to) return range.settings;
    return settings_;
}

void MergePlan::save(const std::string& file, data::Existing existing) const
{
    std::string text = "# bifrons merge --settings\n";
    for (const std::string& word : words_) text += toml_line(word);
    for (const Range& range : ranges_) {
        text += str("\n[[frames]]\nfrom = ", range.from, "\nto = ", range.to, "\n");
        for (const std::string& word : range.words) text += toml_line(word);
    }
    data::write_file(file, text, existing);
}

} // namespace bifrons::tools
