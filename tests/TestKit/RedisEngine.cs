namespace Bff.TestKit;

/// <summary>How the stores under test connect to Redis. <c>BFF_TEST_REDIS</c> chooses one for a whole test run.</summary>
public enum RedisEngine
{
    /// <summary>One server, with the user from docs/operations.md.</summary>
    Plain,

    /// <summary>TLS with certificates of a private authority on both sides.</summary>
    Tls,

    /// <summary>A Sentinel that knows the server's address.</summary>
    Sentinel,

    /// <summary>A password from a file that changes three times a second; old passwords are removed.</summary>
    Rotation,

    /// <summary>A cluster whose slots constantly move from one server to the other.</summary>
    Cluster,

    /// <summary>With a replica that must have what is acknowledged (<c>State:Replicas</c>).</summary>
    Replica,
}

/// <summary>The engine of a test run.</summary>
public static class RedisEngines
{
    /// <summary>Engine for <see cref="RedisServer.Run(string[])"/> without arguments.</summary>
    public static RedisEngine Chosen { get; } =
        Environment.GetEnvironmentVariable("BFF_TEST_REDIS") is { Length: > 0 } name
            ? Enum.Parse<RedisEngine>(name, ignoreCase: true)
            : RedisEngine.Plain;
}
