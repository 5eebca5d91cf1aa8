// swift-tools-version: 6.2
import PackageDescription

/// Whether what reads foreign bytes is built for libFuzzer, and nothing else, as `make fuzz` does.
let isFuzzed = Context.environment["ORDER_WORKER_FUZZ"] == "1"

let settings: [SwiftSetting] =
  [
    .swiftLanguageMode(.v6),
    .treatAllWarnings(as: .error),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
  ] + (isFuzzed ? [.unsafeFlags(["-sanitize=fuzzer,address", "-enable-testing"])] : [])

// Every version is exact, those of indirect dependencies too, so that two builds of one commit link the same code.
// SwiftPM says of the indirect ones that no target uses them; that is expected.
let direct: [(String, Version)] = [
  ("apple/swift-argument-parser", "1.8.2"),
  ("apple/swift-crypto", "4.5.2"),
  ("apple/swift-log", "1.16.2"),
  ("hummingbird-project/hummingbird", "2.28.1"),
  ("swift-server/async-http-client", "1.37.0"),
  ("vapor/jwt-kit", "5.7.1"),
]

let indirect: [(String, Version)] = [
  ("apple/swift-algorithms", "1.2.1"),
  ("apple/swift-asn1", "1.7.4"),
  ("apple/swift-async-algorithms", "1.1.4"),
  ("apple/swift-atomics", "1.3.0"),
  ("apple/swift-certificates", "1.21.1"),
  ("apple/swift-collections", "1.6.0"),
  ("apple/swift-distributed-tracing", "1.7.3"),
  ("apple/swift-http-structured-headers", "1.7.0"),
  ("apple/swift-http-types", "1.8.0"),
  ("apple/swift-metrics", "2.13.0"),
  ("apple/swift-nio", "2.101.2"),
  ("apple/swift-nio-extras", "1.35.2"),
  ("apple/swift-nio-http2", "1.46.0"),
  ("apple/swift-nio-ssl", "2.37.6"),
  ("apple/swift-nio-transport-services", "1.28.0"),
  ("apple/swift-numerics", "1.1.1"),
  ("apple/swift-service-context", "1.5.1"),
  ("apple/swift-system", "1.8.1"),
  ("swift-server/swift-service-lifecycle", "2.13.0"),
]

func pinned(_ dependency: (name: String, version: Version)) -> Package.Dependency {
  .package(url: "https://github.com/\(dependency.name).git", exact: dependency.version)
}

/// As those who need it have it, with its optional parts off: pinned like the others, its defaults would be linked.
let configuration = Package.Dependency.package(url: "https://github.com/apple/swift-configuration.git", exact: "1.4.0", traits: [])

func library(_ name: String, _ path: String, _ dependencies: [Target.Dependency] = [], exclude: [String] = [], sources: [String]? = nil) -> Target {
  .target(name: name, dependencies: dependencies, path: "Sources/\(path)", exclude: exclude, sources: sources, swiftSettings: settings)
}

func tests(_ name: String, _ dependencies: [Target.Dependency], exclude: [String] = []) -> Target {
  .testTarget(name: name, dependencies: dependencies, path: "Tests/\(name)", exclude: exclude, swiftSettings: settings)
}

let cryptoExtras = Target.Dependency.product(name: "CryptoExtras", package: "swift-crypto")
let crypto = Target.Dependency.product(name: "Crypto", package: "swift-crypto")
func nio(_ product: String) -> Target.Dependency { .product(name: product, package: "swift-nio") }
let logging = Target.Dependency.product(name: "Logging", package: "swift-log")

/// What stands without any other package: built alone where ORDER_WORKER_CORE=1, as the sanitizers need it.
let core: [Target] = [
  .systemLibrary(name: "CLinux", path: "Sources/CLibraries/CLinux"),
  .systemLibrary(name: "CRabbitMQ", path: "Sources/CLibraries/CRabbitMQ", pkgConfig: "librabbitmq", providers: [.apt(["librabbitmq-dev"])]),
  .systemLibrary(name: "CPostgres", path: "Sources/CLibraries/CPostgres", pkgConfig: "libpq", providers: [.apt(["libpq-dev"])]),
  .systemLibrary(name: "CHiredis", path: "Sources/CLibraries/CHiredis", providers: [.apt(["libhiredis-dev"])]),
  .target(name: "CTLS", path: "Sources/CLibraries/CTLS", linkerSettings: [.linkedLibrary("ssl"), .linkedLibrary("crypto")]),

  library("Pacing", "Pacing"),
  library("Domain", "Domain"),
  library("Application", "Application", ["Domain", "Pacing"]),

  library("ClientRuntime", "Clients/Runtime", ["CLinux", "CTLS"]),
  library("RabbitMQClient", "Clients/RabbitMQ", ["ClientRuntime", "Pacing", "CRabbitMQ", "CTLS", "CLinux"]),
  library("PostgresClient", "Clients/Postgres", ["ClientRuntime", "Pacing", "CPostgres", "CTLS"]),
  library("RedisClient", "Clients/Redis", ["ClientRuntime", "Pacing", "CHiredis"]),

  .executableTarget(name: "order-bench", dependencies: ["RabbitMQClient", "ClientRuntime"], path: "Benchmarks/W", swiftSettings: settings),

  .target(name: "SanitizerSupport", path: "Tests/SanitizerSupport"),
  .target(
    name: "TestSupport",
    dependencies: ["SanitizerSupport", "Domain", "Application", "ClientRuntime", "RabbitMQClient", "PostgresClient", "RedisClient", "CLinux"],
    path: "Tests/TestSupport", swiftSettings: settings),
  tests("DomainTests", ["Domain", "TestSupport"]),
  tests("ApplicationTests", ["Application", "ClientRuntime", "Domain", "Pacing", "TestSupport"]),
  tests("ClientTests", ["ClientRuntime", "Pacing", "RabbitMQClient", "PostgresClient", "RedisClient", "TestSupport"]),
  // These two drive the built executable, and need nothing of what it is made of.
  tests("IntegrationTests", ["TestSupport", "ClientRuntime", "RabbitMQClient", "PostgresClient", "RedisClient"]),
  tests("ChaosTests", ["TestSupport", "ClientRuntime", "RabbitMQClient", "PostgresClient", "RedisClient"], exclude: ["Sabotage"]),
]

/// Whether the worker is built so that it can be made to die at named points, as `make failpoints` does.
let hasFailpoints = Context.environment["ORDER_WORKER_FAILPOINTS"] == "1"

let whole: [Target] = [
  library("JSONAdapter", "Adapters/JSON", ["Application", "Domain", crypto]),
  library("PostgresAdapter", "Adapters/Postgres", ["Application", "Domain", "ClientRuntime", "Pacing", "PostgresClient", crypto, logging]),
  library("RabbitMQAdapter", "Adapters/RabbitMQ", ["Application", "Domain", "ClientRuntime", "RabbitMQClient", logging]),
  library(
    "RabbitMQManagementAdapter", "Adapters/RabbitMQManagement",
    ["ClientRuntime", .product(name: "AsyncHTTPClient", package: "async-http-client"), nio("NIOCore"), nio("NIOHTTP1")]),
  library("RedisAdapter", "Adapters/Redis", ["Application", "Domain", "ClientRuntime", "RedisClient", logging]),
  library(
    "HTTPPaymentAdapter", "Adapters/HTTPPayment",
    [
      "Application", "Domain", "ClientRuntime", logging, .product(name: "AsyncHTTPClient", package: "async-http-client"), nio("NIOCore"), nio("NIOPosix"),
      nio("NIOHTTP1"), .product(name: "NIOSSL", package: "swift-nio-ssl"),
    ]),
  library(
    "JWTAdapter", "Adapters/JWT",
    [
      "Application", "Domain", crypto, cryptoExtras, .product(name: "JWTKit", package: "jwt-kit"),
      .product(name: "AsyncHTTPClient", package: "async-http-client"), nio("NIOCore"), nio("NIOHTTP1"),
    ]),
  library(
    "OTLPAdapter", "Adapters/OTLP",
    [
      "Application", "Domain", "Pacing", logging, .product(name: "AsyncHTTPClient", package: "async-http-client"), nio("NIOCore"), nio("NIOPosix"),
      nio("NIOHTTP1"),
    ]),
  library("PaymentSandbox", "Adapters/PaymentSandbox", ["Domain", nio("NIOCore"), nio("NIOPosix"), nio("NIOHTTP1")]),

  library(
    "Operations", "Operations",
    [
      "Domain", logging, .product(name: "Hummingbird", package: "hummingbird"), .product(name: "HTTPTypes", package: "swift-http-types"),
      nio("NIOCore"), nio("NIOHTTP1"), nio("NIOPosix"),
    ]),
  .executableTarget(
    name: "order-worker",
    dependencies: [
      "Domain", "Application", "JSONAdapter", "PostgresAdapter", "RabbitMQAdapter", "RabbitMQManagementAdapter", "RedisAdapter",
      "HTTPPaymentAdapter", "JWTAdapter", "OTLPAdapter", "PaymentSandbox", "Operations", "RabbitMQClient", "PostgresClient", "RedisClient", "ClientRuntime",
      "Pacing", "CLinux", logging,
      .product(name: "ArgumentParser", package: "swift-argument-parser"),
    ],
    path: "Sources/Worker",
    exclude: hasFailpoints ? [] : ["Failpoints"],
    swiftSettings: settings),

  .target(
    name: "TokenSupport", dependencies: [crypto, cryptoExtras], path: "Tests/TokenSupport", swiftSettings: settings),
  tests(
    "AdapterTests",
    [
      "TokenSupport",
      "JSONAdapter", "PostgresAdapter", "RabbitMQAdapter", "RedisAdapter", "HTTPPaymentAdapter", "JWTAdapter", "OTLPAdapter", "PaymentSandbox", "Application",
      "Domain",
      "ClientRuntime", "PostgresClient", "RabbitMQClient", "RedisClient", "TestSupport", logging,
    ]),
  tests(
    "WorkerTests",
    [
      "TokenSupport",
      "order-worker", "Operations", "HTTPPaymentAdapter", "PostgresAdapter", "RabbitMQAdapter", "RabbitMQManagementAdapter", "RedisAdapter", "RabbitMQClient",
      "PostgresClient", "ClientRuntime", "Application", "Domain", "TestSupport", logging,
      .product(name: "ArgumentParser", package: "swift-argument-parser"),
    ]),
]

/// The decoders, without what only serves to talk to servers, and the program that feeds them.
let fuzzed: [Target] = [
  library("JSONAdapter", "Adapters/JSON", ["Application", "Domain", crypto]),
  library("RabbitMQAdapter", "Adapters/RabbitMQ", ["Application", "Domain", "ClientRuntime", "RabbitMQClient", logging]),
  library(
    "HTTPPaymentAdapter", "Adapters/HTTPPayment", ["Application", "Domain"],
    sources: ["HTTPPaymentEndpoint.swift", "PercentEncoding.swift", "ProviderResponse.swift", "RetryAfter.swift"]),
  library(
    "JWTAdapter", "Adapters/JWT", ["Application", "Domain", crypto, cryptoExtras, .product(name: "JWTKit", package: "jwt-kit")],
    sources: ["Base64URL.swift", "SenderKeys.swift", "TokenVerifier.swift", "VerificationKey.swift"]),
  library(
    "order-worker", "Worker",
    ["Domain", "Application", "JSONAdapter", "JWTAdapter", "HTTPPaymentAdapter", "RabbitMQClient", "PostgresClient", "RedisClient", logging],
    exclude: ["Configuration/ConfigurationReport.swift"],
    sources: ["Configuration", "Commands/StockFile.swift", "Composition/WorkerSettings.swift", "Output/TextTable.swift"]),
  .target(name: "FuzzDriver", path: "Fuzz/Driver"),
  .executableTarget(
    name: "order-fuzz",
    dependencies: [
      "FuzzDriver", "Domain", "Application", "JSONAdapter", "RabbitMQAdapter", "HTTPPaymentAdapter", "JWTAdapter", "order-worker", "RabbitMQClient",
      "CRabbitMQ", crypto,
    ],
    path: "Fuzz/Targets",
    swiftSettings: settings,
    linkerSettings: [.unsafeFlags(["-sanitize=fuzzer,address", "-use-ld=lld"])]),
]

let coreOnly = Context.environment["ORDER_WORKER_CORE"] == "1"

let package = Package(
  name: "order-worker",
  products: coreOnly || isFuzzed ? [] : [.executable(name: "order-worker", targets: ["order-worker"])],
  dependencies: coreOnly ? [] : (direct + indirect).map(pinned) + [configuration],
  targets: coreOnly ? core : core + (isFuzzed ? fuzzed : whole))
