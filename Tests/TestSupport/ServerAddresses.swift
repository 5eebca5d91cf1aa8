import Glibc

/// Where the servers of the running stack are; nil where the tests run without one.
package enum ServerAddresses {
  package static var database: String? { variable("STACK_DATABASE_URL") }
  package static var redis: String? { variable("STACK_REDIS_URL") }

  private static func variable(_ name: String) -> String? { getenv(name).map { String(cString: $0) } }
}
