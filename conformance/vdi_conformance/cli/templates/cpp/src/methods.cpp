#include "methods.hpp"

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#ifdef _WIN32
#include <process.h>
#else
#include <unistd.h>
#endif

#include "client.hpp"
#include "memory.hpp"

using protocol::Json;
using protocol::Parameters;
using protocol::Refused;

namespace {

// 1. Change these: they stand in every report.
constexpr char NAME[] = "skeleton";
constexpr char VERSION[] = "unknown";
constexpr char VENDOR[] = "";

#ifdef _WIN32
constexpr char PLATFORM[] = "win32";
int process_id() { return _getpid(); }
#else
constexpr char PLATFORM[] = "linux";
int process_id() { return getpid(); }
#endif

constexpr std::uint64_t MOST_ALLOCATED = 1 << 30;
constexpr std::uint64_t MOST_COPIED = 65536;
constexpr std::uint64_t ANY_SIZE = UINT64_MAX;
constexpr std::size_t MOST_CALLS = 128;
#ifndef _WIN32
constexpr std::size_t MOST_ARGUMENTS = 8;
#endif

// Objects by the ids that the suite gave them. What was released stays known, so that stale use can be tried.
template <typename Object>
class Known {
  public:
    explicit Known(const char* kind) : kind_(kind) {}

    void enter(const std::string& id, std::shared_ptr<Object> object) {
        const std::lock_guard held(lock_);
        objects_[id] = std::move(object);
    }

    std::shared_ptr<Object> find(const std::string& id) {
        const std::lock_guard held(lock_);
        const auto found = objects_.find(id);
        if (found == objects_.end()) {
            throw Refused(protocol::INVALID_PARAMS, std::string("no ") + kind_ + " has the id '" + id + "'");
        }
        return found->second;
    }

  private:
    const char* kind_;
    std::mutex lock_;
    std::map<std::string, std::shared_ptr<Object>> objects_;
};

Known<client::Set> sets("set");
Known<client::Device> devices("device");
bool is_initialized = false;

std::shared_ptr<client::Set> set_of(const Parameters& given) { return sets.find(given.name("set")); }

std::shared_ptr<client::Device> device_of(const Parameters& given) { return devices.find(given.name("device")); }

Json code_alone(std::uint32_t code) { return {{"code", code}}; }

// The code, and the out value under its name where there was an out variable.
Json with_value(std::uint32_t code, const char* name, std::optional<Json> value) {
    Json told = code_alone(code);
    if (value) {
        told[name] = std::move(*value);
    }
    return told;
}

std::optional<Json> hex_of(std::optional<std::uint64_t> number) {
    return number ? std::optional<Json>(protocol::hex(*number)) : std::nullopt;
}

Json new_set(const Parameters& given) {
    if (!is_initialized) {
        throw Refused(protocol::INVALID_REQUEST, "the first request must be initialize, and must succeed");
    }
    sets.enter(given.name("set"), std::make_shared<client::Set>());
    return Json::object();
}

Json get_configuration(const Parameters& given) {
    const auto out = set_of(given)->get_configuration(given.u32("timeout"), given.flag("null_out"));
    return with_value(out.code, "config",
                      out.value ? std::optional(protocol::config_as_json(*out.value)) : std::nullopt);
}

Json open_device(const Parameters& given) {
    const std::string id = given.name("device");
    const auto out = set_of(given)->open_device(given.nullable_text("name"), given.flag("null_out"));
    // Whatever else than null a call leaves there is a device, even after a failure.
    const bool opened = out.value.value_or(nullptr) != nullptr;
    if (opened) {
        devices.enter(id, std::make_shared<client::Device>(*out.value));
    }
    return {{"code", out.code}, {"opened", opened}};
}

Json get_buffer_handle(const Parameters& given) {
    const auto out = set_of(given)->get_buffer_handle(given.u64("address"), given.flag("null_out"));
    return with_value(out.code, "handle", out.value);
}

Json map_buffer_handle(const Parameters& given) {
    const auto out = set_of(given)->map_buffer_handle(given.u32("handle"), given.flag("null_out"));
    return with_value(out.code, "address", hex_of(out.value));
}

Json get_command(const Parameters& given) {
    const auto [code, command] = device_of(given)->get_command(given.u32("timeout"), given.flag("null_out"));
    if (!command) {
        return code_alone(code);
    }
    return {{"code", code},
            {"command",
             {{"address", protocol::hex(command->address)},
              {"code", command->code},
              {"size", command->size},
              {"position", protocol::hex(command->position)},
              {"buffer", protocol::hex(command->buffer)}}}};
}

Json complete_command(const Parameters& given) {
    return code_alone(device_of(given)->complete_command(given.u64("command"), given.u32("completion_code"),
                                                         given.u32("bytes_transferred"), given.u64("position")));
}

Json address_or_fault(std::uint64_t address) {
    if (address == 0) {
        throw Refused(protocol::MEMORY_FAULT, "no memory of that size is left in the host");
    }
    return {{"address", protocol::hex(address)}};
}

Json allocate(const Parameters& given) {
    return address_or_fault(memory::allocate(static_cast<std::size_t>(given.size("size", 1, MOST_ALLOCATED))));
}

Json reserve(const Parameters& given) {
    const auto size = given.size("size", 1, SIZE_MAX);
    return address_or_fault(memory::reserve(static_cast<std::size_t>(size), given.optional_u64("address").value_or(0)));
}

Json read_memory(const Parameters& given) {
    const auto size = static_cast<std::size_t>(given.size("size", 0, MOST_COPIED));
    return {{"data", protocol::hex(memory::read(given.u64("address"), size))}};
}

Json write_memory(const Parameters& given) {
    memory::write(given.u64("address"), given.bytes("data", MOST_COPIED));
    return Json::object();
}

Json fill_memory(const Parameters& given) {
    memory::fill(given.u64("address"), given.size("size", 0, ANY_SIZE), given.digits("seed"));
    return Json::object();
}

Json digest_memory(const Parameters& given) {
    return {{"sha256", protocol::hex(memory::digest(given.u64("address"), given.size("size", 0, ANY_SIZE)))}};
}

// Either direction between memory and a file.
template <std::string (*copy)(std::uint64_t, std::uint64_t, const std::string&, std::uint64_t)>
Json copy_memory(const Parameters& given) {
    return {{"sha256", protocol::hex(copy(given.u64("address"), given.size("size", 0, ANY_SIZE), given.text("path"),
                                          given.size("offset", 0, INT64_MAX)))}};
}

// The program itself and what belongs to the system need not be named.
Json files(const Parameters&) { return {{"files", Json::array({library::place()})}}; }

#ifndef _WIN32
Json find_symbol(const Parameters& given) {
    const std::uint64_t found = library::symbol(given.name("name"));
    return {{"address", found == 0 ? Json() : Json(protocol::hex(found))}};
}

Json call_function(const Parameters& given) {
    const Json& arguments = given.value("arguments");
    if (!arguments.is_array() || arguments.size() > MOST_ARGUMENTS) {
        throw Refused(protocol::INVALID_PARAMS, "the parameter 'arguments' must be a list of at most 8 values");
    }
    std::vector<std::uint64_t> passed;
    for (const Json& argument : arguments) {
        passed.push_back(Parameters(argument).u64("value"));
    }
    return code_alone(library::call(given.u64("function"), std::move(passed)));
}
#endif

using Method = Json (*)(const Parameters&);

const std::map<std::string, Method> METHODS{
    {"set.new", new_set},
    {"set.create",
     [](const Parameters& given) {
         return code_alone(set_of(given)->create(given.nullable_text("name"), given.config("config")));
     }},
    {"set.create_ex",
     [](const Parameters& given) {
         return code_alone(set_of(given)->create_ex(given.nullable_text("instance"), given.nullable_text("name"),
                                                    given.config("config")));
     }},
    {"set.get_configuration", get_configuration},
    {"set.open_device", open_device},
    {"set.close", [](const Parameters& given) { return code_alone(set_of(given)->close()); }},
    {"set.signal_abort", [](const Parameters& given) { return code_alone(set_of(given)->signal_abort()); }},
    {"set.open_in_secondary",
     [](const Parameters& given) {
         return code_alone(set_of(given)->open_in_secondary(given.nullable_text("name")));
     }},
    {"set.open_in_secondary_ex",
     [](const Parameters& given) {
         return code_alone(
             set_of(given)->open_in_secondary_ex(given.nullable_text("instance"), given.nullable_text("name")));
     }},
    {"set.get_buffer_handle", get_buffer_handle},
    {"set.map_buffer_handle", map_buffer_handle},
    {"set.release",
     [](const Parameters& given) {
         set_of(given)->release();
         return Json::object();
     }},
    {"device.get_command", get_command},
    {"device.complete_command", complete_command},
    {"device.release",
     [](const Parameters& given) {
         device_of(given)->release();
         return Json::object();
     }},
    {"memory.allocate", allocate},
    {"memory.reserve", reserve},
    {"memory.read", read_memory},
    {"memory.write", write_memory},
    {"memory.fill", fill_memory},
    {"memory.digest", digest_memory},
    {"memory.save", copy_memory<memory::save>},
    {"memory.load", copy_memory<memory::load>},
    {"process.files", files},
#ifndef _WIN32
    {"native.symbol", find_symbol},
    {"native.call", call_function},
#endif
};

// What is about threads, or about the whole process, needs more than its parameters.
constexpr char INITIALIZE[] = "initialize";
constexpr char CONCURRENTLY[] = "calls.concurrently";
constexpr char END_THREAD[] = "calls.end_thread";
constexpr char OUTSIDE[] = "memory.outside_addresses";

Json initialize(const Parameters& given, bool own_layout) {
    const std::string spoken = given.text("protocol");
    if (spoken.substr(0, spoken.find('.')) != "2") {
        throw Refused(protocol::PROTOCOL_NOT_SPOKEN,
                      std::string("this host speaks version ") + protocol::VERSION + ", not " + spoken);
    }
    if (is_initialized) {
        throw Refused(protocol::INVALID_REQUEST, "initialize was sent already");
    }
    if (given.name("role") != "client") {
        throw Refused(protocol::IMPLEMENTATION_UNAVAILABLE, "this host is a client alone: name a --server");
    }
    const Json& environment = given.value("environment");
    if (!environment.is_object()) {
        throw Refused(protocol::INVALID_PARAMS, "the parameter 'environment' must be an object");
    }
    library::prepare(Parameters(environment).text("directory"));
    Json methods{INITIALIZE, CONCURRENTLY, END_THREAD, OUTSIDE};
    for (const auto& method : METHODS) {
        methods.push_back(method.first);
    }
    Json told{{"protocol", protocol::VERSION},
              {"identity", {{"name", NAME}, {"version", VERSION}, {"vendor", VENDOR}, {"library", library::place()}}},
              // 2. What your library offers beyond what it must. What is declared must be served.
              {"capabilities",
               {{"server", "none"},
                {"named_instances", false},
                {"native_abi", library::NATIVE_ABI},
                {"null_out_pointers", true}}},
              {"process",
               {{"pid", process_id()},
                {"pointer_bytes", sizeof(void*)},
                {"platform", PLATFORM},
                {"own_layout", own_layout}}},
              {"methods", std::move(methods)}};
    is_initialized = true;
    return told;
}

Json outside_addresses(const void* on_stack) {
    const auto& found = memory::outside(on_stack);
    return {{"stack", protocol::hex(found.stack)},
            {"heap", protocol::hex(found.heap)},
            {"data", protocol::hex(found.data)},
            {"unmapped", protocol::hex(found.unmapped)}};
}

// Read one of the calls of `calls.concurrently`.
protocol::Request call_of(const Json& value) {
    if (value.is_object() && value.value("id", Json()).is_number_integer() &&
        value.value("method", Json()).is_string() && value.value("params", Json()).is_object()) {
        auto call = protocol::request(value["id"], value["method"].get<std::string>(), value["params"]);
        if (call.label) {
            return call;
        }
    }
    throw Refused(protocol::INVALID_PARAMS, "each of the calls must have id, method, and params that name a thread");
}

}  // namespace

void Methods::take(protocol::Request request) {
    if (!request.label) {
        perform(request);
        return;
    }
    const std::string label = *request.label;
    labels_.run(label, [this, request = std::move(request)] { perform(request); });
}

void Methods::perform(const protocol::Request& request) {
    try {
        answers_.write(protocol::result(request.id, result_of(request)));
    } catch (const Refused& refused) {
        answers_.write(protocol::error(request.id, refused));
    } catch (const library::Unavailable& reason) {
        answers_.write(protocol::error(request.id, Refused(protocol::IMPLEMENTATION_UNAVAILABLE, reason.what())));
    } catch (const std::exception& raised) {
        answers_.write(protocol::error(request.id, Refused(protocol::ADAPTER_RAISED, raised.what())));
    }
}

Json Methods::result_of(const protocol::Request& request) {
    const Parameters& given = request.parameters;
    if (request.method == INITIALIZE) {
        return initialize(given, own_layout_);
    }
    if (request.method == OUTSIDE) {
        return outside_addresses(on_stack_);
    }
    if (request.method == CONCURRENTLY) {
        return concurrently(given);
    }
    if (request.method == END_THREAD) {
        labels_.end(given.name("label"));
        return Json::object();
    }
    const auto method = METHODS.find(request.method);
    if (method == METHODS.end()) {
        throw Refused(protocol::METHOD_NOT_FOUND, "the method '" + request.method + "' is not known");
    }
    return method->second(given);
}

Json Methods::concurrently(const Parameters& given) {
    const Json& calls = given.value("calls");
    if (!calls.is_array() || calls.empty() || calls.size() > MOST_CALLS) {
        throw Refused(protocol::INVALID_PARAMS, "the parameter 'calls' must be a list of 1 to 128 calls");
    }
    std::vector<std::pair<std::string, Task>> tasks;
    for (const Json& value : calls) {
        auto call = call_of(value);
        std::string label = *call.label;
        for (const auto& other : tasks) {
            if (other.first == label) {
                throw Refused(protocol::INVALID_PARAMS, "the threads of the calls must all differ");
            }
        }
        tasks.emplace_back(std::move(label), [this, call = std::move(call)] { perform(call); });
    }
    labels_.run_together(std::move(tasks));
    return Json::object();
}
