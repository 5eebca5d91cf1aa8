import Glibc

/// The private servers that the tests run against, as `scripts/stack` tells of them in the environment.
package enum Stack {
  /// Nil where the tests run without a stack.
  package static var database: String? { variable("STACK_DATABASE_URL") }
  package static var redis: String? { variable("STACK_REDIS_URL") }

  package static var amqpURL: String { require("STACK_AMQP_URL") }
  package static var databaseURL: String { require("STACK_DATABASE_URL") }
  package static var redisURL: String { require("STACK_REDIS_URL") }

  /// A name that no other test uses: fit for prefixes, schemas and queues.
  package static func uniqueName(_ word: String = "t") -> String { "\(word)\(String(UInt64.random(in: 0...UInt64.max), radix: 36))" }

  package static func require(_ name: String) -> String {
    guard let value = variable(name) else {
      preconditionFailure("\(name) is not set: run the tests by `make test`, or source the stack's environment")
    }
    return value
  }

  private static func variable(_ name: String) -> String? { getenv(name).map { String(cString: $0) } }
}
