namespace Bff.TestKit;

/// <summary>How the stores under test reach Redis. <c>BFF_TEST_REDIS</c> chooses one for a whole run of tests.</summary>
public enum RedisEngine
{
    /// <summary>One server, as the user of docs/operations.md.</summary>
    Plain,

    /// <summary>Over TLS with certificates of a private authority on both sides.</summary>
    Tls,

    /// <summary>Through a Sentinel that says where the server is.</summary>
    Sentinel,

    /// <summary>With a password from a file that is another one three times a second; old ones are taken away.</summary>
    Rotation,

    /// <summary>A cluster whose slots move from one server to the other all the time.</summary>
    Cluster,
}

/// <summary>What a run of tests uses.</summary>
public static class RedisEngines
{
    /// <summary>For <see cref="RedisServer.Run(string[])"/> without arguments.</summary>
    public static RedisEngine Chosen { get; } =
        Environment.GetEnvironmentVariable("BFF_TEST_REDIS") is { Length: > 0 } name
            ? Enum.Parse<RedisEngine>(name, ignoreCase: true)
            : RedisEngine.Plain;
}
