#include "data/provenance.h"

#include "data/file.h"
#include "kernels/base/error.h"

namespace bifrons::data {

namespace {

constexpr const char* kSourceType =
    "http://cv.iptc.org/newscodes/digitalsourcetype/compositeWithTrainedAlgorithmicMedia";

std::string escaped(const std::string& text)
{
    std::string xml;
    for (const char c : text) {
        if (c == '&')
            xml += "&amp;";
        else if (c == '<')
            xml += "&lt;";
        else if (c == '"')
            xml += "&quot;";
        else
            xml += c;
    }
    return xml;
}

} // namespace

std::string xmp_packet(const Provenance& made)
{
    if (made.comment.empty()) return "";
    const std::string model = made.model.empty() ? "" : str("\n   bifrons:ModelSHA256=\"", escaped(made.model), "\"");
    return str("<?xpacket begin=\"\xEF\xBB\xBF\" id=\"W5M0MpCehiHzreSzNTczkc9d\"?>\n"
               "<x:xmpmeta xmlns:x=\"adobe:ns:meta/\">\n"
               " <rdf:RDF xmlns:rdf=\"http://www.w3.org/1999/02/22-rdf-syntax-ns#\">\n"
               "  <rdf:Description rdf:about=\"\"\n"
               "   xmlns:dc=\"http://purl.org/dc/elements/1.1/\"\n"
               "   xmlns:xmp=\"http://ns.adobe.com/xap/1.0/\"\n"
               "   xmlns:Iptc4xmpExt=\"http://iptc.org/std/Iptc4xmpExt/2008-02-29/\"\n"
               "   xmlns:bifrons=\"urn:bifrons:1.0\"\n"
               "   Iptc4xmpExt:DigitalSourceType=\"",
               kSourceType, "\"\n   xmp:CreatorTool=\"", escaped(made.tool), "\"", model,
               ">\n   <dc:description><rdf:Alt><rdf:li xml:lang=\"x-default\">", escaped(made.comment),
               "</rdf:li></rdf:Alt></dc:description>\n"
               "  </rdf:Description>\n </rdf:RDF>\n</x:xmpmeta>\n<?xpacket end=\"r\"?>");
}

std::vector<std::string> metadata_tags(const Provenance& made)
{
    if (made.comment.empty()) return {};
    std::vector<std::string> tags = {"comment=" + made.comment, str("DIGITAL_SOURCE_TYPE=", kSourceType),
                                     "CREATOR_TOOL=" + made.tool};
    if (!made.model.empty()) tags.push_back("MODEL_SHA256=" + made.model);
    return tags;
}

void append_xmp_box(const std::filesystem::path& file, const std::string& packet)
{
    constexpr unsigned char kXmp[] = {0xBE, 0x7A, 0xCF, 0xCB, 0x97, 0xA9, 0x42, 0xE8,
                                      0x9C, 0x71, 0x99, 0x94, 0x91, 0xE3, 0xAF, 0xAC};
    const std::size_t size = 8 + sizeof kXmp + packet.size();
    std::string box;
    for (int shift = 24; shift >= 0; shift -= 8) box += char(size >> shift & 0xFF);
    box += "uuid";
    box.append(reinterpret_cast<const char*>(kXmp), sizeof kXmp);
    append_to_file(file, box + packet);
}

} // namespace bifrons::data
