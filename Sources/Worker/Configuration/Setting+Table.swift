import Application
import Domain
import JSONAdapter
import Logging

/// Every setting there is, in the order in which they are shown.
extension Setting where Value == String {
  static let amqpURL = Setting("ORDERS_AMQP_URL", .amqpURL, standard: "amqp://guest:guest@127.0.0.1:5672/", "RabbitMQ; several hosts by comma")
  static let databaseURL = Setting(
    "ORDERS_DATABASE_URL", .databaseURL, standard: "postgres://orders@127.0.0.1:5432/orders", "PostgreSQL; several hosts by comma")
  static let prefix = Setting("ORDERS_PREFIX", .prefix, standard: "orders", "what exchanges and queues begin with")
  static let databaseSchema = Setting("ORDERS_DATABASE_SCHEMA", .schema, standard: "orders", "the schema of the tables")
  static let redisPrefix = Setting("ORDERS_REDIS_PREFIX", .prefix, standard: "orders", "what keys in Redis begin with")
  static let replyToAllow = Setting(
    "ORDERS_REPLY_TO_ALLOW", .text, standard: ReplyToPolicy.standardPatterns, "addresses that replies may go to, by comma; * stands for any text")
  static let httpHost = Setting("ORDERS_HTTP_HOST", .host, standard: "127.0.0.1", "where health and metrics are served")
}

extension Setting where Value == String? {
  static let configFile = Setting.optional("ORDERS_CONFIG_FILE", .path, "a file of lines ORDERS_NAME=value")
  static let amqpManagementURL = Setting.optional("ORDERS_AMQP_MANAGEMENT_URL", .url("http", "https"), "RabbitMQ's management API, for doctor")
  static let redisURL = Setting.optional("ORDERS_REDIS_URL", .redisURL, "Redis; without it there is no cache")
  static let paymentURL = Setting.optional("ORDERS_PAYMENT_URL", .url("http", "https"), "where the payment provider listens")
  static let paymentToken = Setting.optional("ORDERS_PAYMENT_TOKEN", .secret, "what the payment provider knows the worker by")
  static let otlpEndpoint = Setting.optional("ORDERS_OTLP_ENDPOINT", .url("http", "https"), "where traces go, by OTLP over HTTP; without it none are recorded")
  static let otlpHeaders = Setting.optional("ORDERS_OTLP_HEADERS", .secret, "what the collector wants to see, name=value by comma")
  static let jwksFile = Setting.optional("ORDERS_JWT_JWKS_FILE", .path, "public keys of the senders' tokens")
  static let jwksURL = Setting.optional("ORDERS_JWT_JWKS_URL", .url("http", "https"), "where to fetch those keys")
  static let jwtSecretFile = Setting.optional("ORDERS_JWT_HMAC_SECRET_FILE", .path, "the shared secret of the senders' tokens")
  static let jwtIssuer = Setting.optional("ORDERS_JWT_ISSUER", .text, "the only issuer of tokens that counts")
  static let jwtAudience = Setting.optional("ORDERS_JWT_AUDIENCE", .text, "the audience that tokens must be meant for")
  static let jwtPrivateKeyFile = Setting.optional("ORDERS_JWT_PRIVATE_KEY_FILE", .path, "the key that the command line signs with")
  static let signingKeyFile = Setting.optional("ORDERS_SIGNING_KEY_FILE", .path, "the keys of what the worker tells itself in headers")
  static let token = Setting.optional("ORDERS_TOKEN", .secret, "the operator's token")
}

extension Setting where Value == Int {
  static let prefetch = Setting("ORDERS_PREFETCH", .wholeNumber(1...65_535), standard: "2000", "commands that RabbitMQ hands out ahead")
  static let batchMax = Setting("ORDERS_BATCH_MAX", .wholeNumber(1...10_000), standard: "500", "commands in one transaction at most")
  static let deadLetterKeep = Setting(
    "ORDERS_DEAD_LETTER_KEEP", .wholeNumber(0...1_000_000_000), standard: "100000", "rows kept of dead letters that nobody can replay")
  static let httpPort = Setting("ORDERS_HTTP_PORT", .wholeNumber(0...65_535), standard: "8080", "0 takes any free one and logs it")
}

extension Setting where Value == Double {
  static let traceShare = Setting(
    "ORDERS_TRACE_SHARE", .share, standard: "0.01", "of commands without a trace of their sender's, the share that is traced; 0 to 1")
}

extension Setting where Value == Duration {
  static let reservationTTL = Setting(
    "ORDERS_RESERVATION_TTL", .duration(.seconds(1)...longest), standard: "15m", "how long a pending order holds its stock")
  static let cacheTTL = Setting("ORDERS_CACHE_TTL", .duration(.seconds(1)...longest), standard: "60s", "how long Redis keeps an order")
  static let drainTimeout = Setting(
    "ORDERS_DRAIN_TIMEOUT", .duration(.milliseconds(100)...longest), standard: "25s", "how long work in hand may take after SIGTERM")
  static let paymentTimeout = Setting("ORDERS_PAYMENT_TIMEOUT", .duration(.milliseconds(1)...longest), standard: "10s", "when a payment counts as pending")
  static let paymentGiveUp = Setting(
    "ORDERS_PAYMENT_GIVE_UP", .duration(.milliseconds(1)...longest), standard: "10m", "how long a payment without effect is tried")
  static let jwksRefresh = Setting(
    "ORDERS_JWT_JWKS_REFRESH", .duration(.seconds(1)...longest), standard: "60s", "how old keys get, and how long a withdrawn one stays good")
  static let jwksStale = Setting(
    "ORDERS_JWT_JWKS_STALE", .duration(.seconds(1)...longest), standard: "1h", "how long keys serve that cannot be fetched again")
  private static let longest = Duration.seconds(30 * 86_400)
}

extension Setting where Value == Currency {
  static let defaultCurrency = Setting("ORDERS_DEFAULT_CURRENCY", .currency, standard: "USD", "the currency of an order that names none")
}

extension Setting where Value == [RetryRung] {
  static let retryRungs = Setting("ORDERS_RETRY_RUNGS", .words(RetryRung.self), standard: "1s,5s,30s,2m,10m", "the waits between tries")
}

extension Setting where Value == [WorkerRole] {
  static let roles = Setting(
    "ORDERS_ROLES", .words(WorkerRole.self), standard: WorkerRole.allCases.map(\.rawValue).joined(separator: ","), "what this process does")
}

extension Setting where Value == Logger.Level {
  static let logLevel = Setting("ORDERS_LOG_LEVEL", .word(), standard: "info", "the least that is logged")
}

extension Setting where Value == AuthMode {
  static let auth = Setting("ORDERS_AUTH", .word(), standard: "required", "whether senders must show a token")
}

extension Setting where Value == RunEnvironment {
  static let environment = Setting("ORDERS_ENV", .word(), standard: "development", "production refuses what only suits development")
}

extension Setting where Value == PaymentProviderKind {
  static let paymentProvider = Setting("ORDERS_PAYMENT_PROVIDER", .word(), standard: "none", "who takes payments")
}

extension Setting where Value == InventoryProvider {
  static let inventoryProvider = Setting("ORDERS_INVENTORY_PROVIDER", .word(), standard: "builtin", "who keeps the stock")
}

enum SettingTable {
  static let groups: [(title: String, settings: [any AnySetting])] = [
    (
      "servers",
      [
        Setting.amqpURL, Setting.amqpManagementURL, Setting.databaseURL, Setting.redisURL, Setting.prefix, Setting.databaseSchema, Setting.redisPrefix,
      ]
    ),
    (
      "work",
      [
        Setting.roles, Setting.prefetch, Setting.batchMax, Setting.reservationTTL, Setting.cacheTTL, Setting.drainTimeout, Setting.retryRungs,
        Setting.defaultCurrency, Setting.replyToAllow, Setting.deadLetterKeep,
      ]
    ),
    (
      "providers",
      [
        Setting.paymentProvider, Setting.paymentURL, Setting.paymentToken, Setting.paymentTimeout, Setting.paymentGiveUp, Setting.inventoryProvider,
      ]
    ),
    (
      "operators",
      [
        Setting.configFile, Setting.environment, Setting.httpHost, Setting.httpPort, Setting.logLevel, Setting.otlpEndpoint,
        Setting.otlpHeaders, Setting.traceShare,
      ]
    ),
    (
      "rights",
      [
        Setting.auth, Setting.jwksFile, Setting.jwksURL, Setting.jwksRefresh, Setting.jwksStale, Setting.jwtSecretFile, Setting.jwtIssuer,
        Setting.jwtAudience, Setting.jwtPrivateKeyFile, Setting.signingKeyFile, Setting.token,
      ]
    ),
  ]

  static let all: [any AnySetting] = groups.flatMap(\.settings)
  static let byName: [String: any AnySetting] = Dictionary(uniqueKeysWithValues: all.map { ($0.name, $0) })

  /// Names that may be written down: the settings', and those of the files that secrets are read from.
  static let knownNames: [String] = all.flatMap { [$0.name] + [$0.fileForm].compactMap(\.self) }

  /// The known name that takes the fewest changes to reach, for who mistyped one.
  static func nearest(to name: String) -> String {
    knownNames.min { EditDistance.between($0, name) < EditDistance.between($1, name) }!  // the table is not empty
  }
}
