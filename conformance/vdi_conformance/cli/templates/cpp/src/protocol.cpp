#include "protocol.hpp"

#include <array>
#include <cstdlib>
#include <utility>

#ifdef _WIN32
#include <fcntl.h>
#include <io.h>
#else
#include <unistd.h>
#endif

namespace protocol {

namespace {

constexpr char DIGITS[] = "0123456789abcdef";

struct Member {
    const char* name;
    std::uint32_t VDConfig::*place;
};

constexpr std::array<Member, 11> CONFIG{{
    {"device_count", &VDConfig::deviceCount},
    {"features", &VDConfig::features},
    {"prefix_zone_size", &VDConfig::prefixZoneSize},
    {"alignment", &VDConfig::alignment},
    {"soft_file_mark_block_size", &VDConfig::softFileMarkBlockSize},
    {"eom_warning_size", &VDConfig::EOMWarningSize},
    {"server_time_out", &VDConfig::serverTimeOut},
    {"block_size", &VDConfig::blockSize},
    {"max_io_depth", &VDConfig::maxIODepth},
    {"max_transfer_size", &VDConfig::maxTransferSize},
    {"buffer_area_size", &VDConfig::bufferAreaSize},
}};

[[noreturn]] void refuse(const std::string& key, const std::string& wanted) {
    throw Refused(INVALID_PARAMS, "the parameter '" + key + "' must be " + wanted);
}

std::uint32_t as_u32(const std::string& key, const Json& value) {
    // A number that is not negative is read as an unsigned one.
    if (!value.is_number_unsigned() || value.get<std::uint64_t>() > 0xFFFFFFFF) {
        refuse(key, "an unsigned 32-bit number");
    }
    return value.get<std::uint32_t>();
}

int digit(char letter) {
    const char* found = letter == '\0' ? nullptr : std::char_traits<char>::find(DIGITS, 16, letter);
    return found == nullptr ? -1 : static_cast<int>(found - DIGITS);
}

std::uint64_t as_u64(const std::string& key, const Json& value) {
    const std::string text = value.is_string() ? value.get<std::string>() : "";
    std::uint64_t number = 0;
    bool fits = text.size() > 2 && text.size() <= 18 && text.compare(0, 2, "0x") == 0;
    for (std::size_t place = 2; fits && place < text.size(); ++place) {
        fits = digit(text[place]) >= 0;
        number = number << 4 | static_cast<std::uint64_t>(digit(text[place]) & 0xF);
    }
    if (!fits) {
        refuse(key, "a number like \"0x7f00\"");
    }
    return number;
}

}  // namespace

const Json& Parameters::value(const char* key) const {
    const auto found = given_.find(key);
    if (!given_.is_object() || found == given_.end()) {
        throw Refused(INVALID_PARAMS, std::string("the parameter '") + key + "' is missing");
    }
    return *found;
}

std::string Parameters::text(const char* key) const {
    const Json& found = value(key);
    if (!found.is_string()) {
        refuse(key, "a string");
    }
    return found.get<std::string>();
}

std::string Parameters::name(const char* key) const {
    std::string found = text(key);
    if (found.empty()) {
        refuse(key, "a string that is not empty");
    }
    return found;
}

std::optional<std::string> Parameters::nullable_text(const char* key) const {
    return value(key).is_null() ? std::nullopt : std::optional(text(key));
}

std::uint32_t Parameters::u32(const char* key) const { return as_u32(key, value(key)); }

std::uint64_t Parameters::u64(const char* key) const { return as_u64(key, value(key)); }

std::optional<std::uint64_t> Parameters::optional_u64(const char* key) const {
    const auto found = given_.find(key);
    return found == given_.end() || found->is_null() ? std::nullopt : std::optional(as_u64(key, *found));
}

std::uint64_t Parameters::size(const char* key, std::uint64_t least, std::uint64_t most) const {
    const Json& found = value(key);
    const auto fits = [&](std::uint64_t number) { return least <= number && number <= most; };
    if (!found.is_number_unsigned() || !fits(found.get<std::uint64_t>())) {
        refuse(key, "a number of bytes from " + std::to_string(least) + " to " + std::to_string(most));
    }
    return found.get<std::uint64_t>();
}

std::string Parameters::digits(const char* key) const {
    const Json& found = value(key);
    if (!found.is_number_integer()) {
        refuse(key, "a whole number of up to 64 bits");
    }
    return found.dump();
}

bool Parameters::flag(const char* key) const {
    const auto found = given_.find(key);
    if (found == given_.end()) {
        return false;
    }
    if (!found->is_boolean()) {
        refuse(key, "true or false");
    }
    return found->get<bool>();
}

std::string Parameters::bytes(const char* key, std::size_t most) const {
    const std::string found = text(key);
    std::string bytes;
    bool fits = found.size() % 2 == 0 && found.size() <= 2 * most;
    for (std::size_t place = 0; fits && place < found.size(); place += 2) {
        const int high = digit(found[place]);
        const int low = digit(found[place + 1]);
        fits = high >= 0 && low >= 0;
        bytes.push_back(static_cast<char>(high * 16 + low));
    }
    if (!fits) {
        refuse(key, "up to " + std::to_string(most) + " bytes in hexadecimal");
    }
    return bytes;
}

std::optional<VDConfig> Parameters::config(const char* key) const {
    const Json& found = value(key);
    if (found.is_null()) {
        return std::nullopt;
    }
    VDConfig config{};
    for (const Member& member : CONFIG) {
        if (!found.is_object() || !found.contains(member.name)) {
            refuse(key, "an object with the 11 members of VDConfig, or null");
        }
        config.*member.place = as_u32(std::string(key) + "." + member.name, found[member.name]);
    }
    return config;
}

Json config_as_json(const VDConfig& config) {
    Json members = Json::object();
    for (const Member& member : CONFIG) {
        members[member.name] = config.*member.place;
    }
    return members;
}

std::variant<Request, Json> read(const std::string& line) {
    const Json found = Json::parse(line, nullptr, false);
    if (found.is_discarded()) {
        return error(nullptr, Refused(PARSE_ERROR, "the line is not JSON"));
    }
    if (!found.is_object() || found.value("jsonrpc", Json()) != "2.0") {
        return error(nullptr, Refused(INVALID_REQUEST, "a request is a JSON-RPC 2.0 object"));
    }
    const Json id = found.value("id", Json());
    if (!id.is_number_integer() && !id.is_string()) {
        return error(nullptr, Refused(INVALID_REQUEST, "a request has an id, a number or a string"));
    }
    const Json method = found.value("method", Json());
    const Json given = found.value("params", Json::object());
    if (!method.is_string() || !given.is_object()) {
        return error(id, Refused(INVALID_REQUEST, "a request has a method and an object of parameters"));
    }
    try {
        return request(id, method.get<std::string>(), given);
    } catch (const Refused& refused) {
        return error(id, refused);
    }
}

Request request(Json id, std::string method, Json given) {
    std::optional<std::string> label;
    if (given.contains("thread") && !given["thread"].is_null()) {
        label = Parameters(given).name("thread");
    }
    return {std::move(id), std::move(method), std::move(label), Parameters(std::move(given))};
}

Json result(const Json& id, Json value) { return {{"jsonrpc", "2.0"}, {"id", id}, {"result", std::move(value)}}; }

Json error(const Json& id, const Refused& refused) {
    return {{"jsonrpc", "2.0"}, {"id", id}, {"error", {{"code", refused.code}, {"message", refused.what()}}}};
}

std::string hex(std::uint64_t number) {
    std::string text;
    do {
        text.insert(text.begin(), DIGITS[number & 0xF]);
        number >>= 4;
    } while (number != 0);
    return "0x" + text;
}

std::string hex(const std::string& bytes) {
    std::string text;
    text.reserve(2 * bytes.size());
    for (const char byte : bytes) {
        const auto value = static_cast<unsigned char>(byte);
        text.push_back(DIGITS[value >> 4]);
        text.push_back(DIGITS[value & 0xF]);
    }
    return text;
}

#ifdef _WIN32
Answers::Answers() {
    _setmode(0, _O_BINARY);
    const int taken = _dup(1);
    _setmode(taken, _O_BINARY);
    _dup2(2, 1);
    file_ = _fdopen(taken, "wb");
}
#else
Answers::Answers() : file_(fdopen(dup(1), "wb")) { dup2(2, 1); }
#endif

void Answers::write(const Json& answer) {
    // Messages may hold bytes of any kind; in an answer they are UTF-8.
    const std::string line = answer.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
    const std::lock_guard held(lock_);
    if (std::fwrite(line.data(), 1, line.size(), file_) != line.size() || std::fflush(file_) != 0) {
        std::_Exit(0);  // Nobody reads any more.
    }
}

}  // namespace protocol
