// The host program: reads requests from standard input until it ends.
#include <cstdlib>
#include <iostream>
#include <string>
#include <variant>

#include "memory.hpp"
#include "methods.hpp"
#include "protocol.hpp"

int main() {
    const char on_stack = 0;
    const bool own_layout = memory::spread();
    protocol::Answers answers;
    Methods methods(answers, &on_stack, own_layout);
    std::ios::sync_with_stdio(false);
    for (std::string line; std::getline(std::cin, line);) {
        auto read = protocol::read(line);
        if (auto* request = std::get_if<protocol::Request>(&read)) {
            methods.take(std::move(*request));
        } else {
            answers.write(std::get<protocol::Json>(read));
        }
    }
    // At once, whatever other threads are waiting for.
    std::_Exit(0);
}
