// The methods of the protocol: each reads its parameters, makes one call, and says what came of it.
#pragma once

#include "labels.hpp"
#include "protocol.hpp"

class Methods {
  public:
    // `on_stack` is an address of the main thread's stack.
    Methods(protocol::Answers& answers, const void* on_stack) : answers_(answers), on_stack_(on_stack) {}

    // Perform a request on the thread of its label, or at once where it has none.
    void take(protocol::Request request);

  private:
    void perform(const protocol::Request& request);
    protocol::Json result_of(const protocol::Request& request);
    protocol::Json concurrently(const protocol::Parameters& given);

    protocol::Answers& answers_;
    const void* on_stack_;
    Labels labels_;
};
