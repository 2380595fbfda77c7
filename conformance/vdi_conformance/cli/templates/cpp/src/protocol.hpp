// The protocol: JSON-RPC 2.0, one object a line. Requests are read, their parameters checked, answers written.
#pragma once

#include <cstdint>
#include <cstdio>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <string>
#include <variant>

#include <nlohmann/json.hpp>

#include "vdi.hpp"

namespace protocol {

using Json = nlohmann::json;

constexpr char VERSION[] = "2.0";

// The codes of errors: those of JSON-RPC, and those of the host protocol.
constexpr int PARSE_ERROR = -32700;
constexpr int INVALID_REQUEST = -32600;
constexpr int METHOD_NOT_FOUND = -32601;
constexpr int INVALID_PARAMS = -32602;
constexpr int ADAPTER_RAISED = -32000;
constexpr int PROTOCOL_NOT_SPOKEN = -32002;
constexpr int MEMORY_FAULT = -32003;
constexpr int IMPLEMENTATION_UNAVAILABLE = -32004;

// A request is answered with an error of this code.
struct Refused : std::runtime_error {
    Refused(int its_code, const std::string& sentence) : std::runtime_error(sentence), code(its_code) {}
    int code;
};

// The parameters of a request; each is given as what it must be, or the request is refused.
class Parameters {
  public:
    explicit Parameters(Json given) : given_(std::move(given)) {}

    // A string that is not empty, any string, and a string or null.
    [[nodiscard]] std::string name(const char* key) const;
    [[nodiscard]] std::string text(const char* key) const;
    [[nodiscard]] std::optional<std::string> nullable_text(const char* key) const;
    // An unsigned number of 32 bits, and one of 64 bits, which comes in hexadecimal.
    [[nodiscard]] std::uint32_t u32(const char* key) const;
    [[nodiscard]] std::uint64_t u64(const char* key) const;
    // A number of bytes, not more than `most`; and the decimal digits of a whole number of any sign.
    [[nodiscard]] std::uint64_t size(const char* key, std::uint64_t least, std::uint64_t most) const;
    [[nodiscard]] std::string digits(const char* key) const;
    // What may be left out.
    [[nodiscard]] bool flag(const char* key) const;
    [[nodiscard]] std::optional<std::uint64_t> optional_u64(const char* key) const;
    // Bytes, which come in hexadecimal, and a configuration or null.
    [[nodiscard]] std::string bytes(const char* key, std::size_t most) const;
    [[nodiscard]] std::optional<VDConfig> config(const char* key) const;
    // Any value, to be looked at by the caller.
    [[nodiscard]] const Json& value(const char* key) const;

  private:
    Json given_;
};

// A request: what it is answered under, what is to be done, and on the thread of which label, if of any.
struct Request {
    Json id;
    std::string method;
    std::optional<std::string> label;
    Parameters parameters;
};

// Read a line; where it is no request, give the answer that says so.
std::variant<Request, Json> read(const std::string& line);

// Make a request of its parts; `given` are the parameters with their thread.
Request request(Json id, std::string method, Json given);

Json result(const Json& id, Json value);
Json error(const Json& id, const Refused& refused);

// 64-bit numbers travel in hexadecimal, and so do bytes.
std::string hex(std::uint64_t number);
std::string hex(const std::string& bytes);

Json config_as_json(const VDConfig& config);

// Standard output, to which any thread may write a whole answer; everything else that is printed goes to standard
// error from now on.
class Answers {
  public:
    Answers();
    void write(const Json& answer);

  private:
    std::mutex lock_;
    std::FILE* file_;
};

}  // namespace protocol
