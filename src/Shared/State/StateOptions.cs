using Bff.Configuration;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;
using StackExchange.Redis;

namespace Bff.State;

/// <summary>Section <c>State</c>.</summary>
[Settings("State")]
public sealed class StateOptions
{
    /// <summary>The longest that a request waits for Redis.</summary>
    [Setting(Min = "00:00:00.001", Max = "00:00:10")]
    public TimeSpan Timeout { get; set; } = TimeSpan.FromMilliseconds(100);

    /// <summary>Lets a host in the Production environment run without Redis, as a single instance whose state dies with it.</summary>
    [Setting]
    public bool AllowEmbedded { get; set; }
}

/// <summary>Where Redis is.</summary>
[Settings("ConnectionStrings")]
internal sealed class RedisAddress
{
    /// <summary>One server, or several of a cluster. Without it state is in process.</summary>
    [Setting(Key = "redis", Range = "a connection string such as host:6379,password=...,ssl=true", Default = "none; required in Production")]
    public string? Redis { get; init; }

    public static string? Of(IConfiguration configuration) => configuration.GetConnectionString("redis") is { } text && !string.IsNullOrWhiteSpace(text) ? text : null;
}

/// <summary>Stops a host whose state would be lost or not shared without anybody having said so.</summary>
internal sealed class StateOptionsValidator(IConfiguration configuration, IHostEnvironment environment) : IValidateOptions<StateOptions>
{
    public ValidateOptionsResult Validate(string? name, StateOptions options)
    {
        var mistakes = new List<string>();
        var redis = RedisAddress.Of(configuration);
        if (redis is null)
        {
            if (environment.IsProduction() && !options.AllowEmbedded)
            {
                mistakes.Add("ConnectionStrings:redis: required in Production, because embedded state is lost with the process and not shared "
                    + "between instances. Set it, or set State:AllowEmbedded=true to run a single instance so.");
            }
        }
        else if (!IsUsable(redis))
        {
            mistakes.Add("ConnectionStrings:redis: not a connection string such as host:6379,password=...,ssl=true."); // Its text may hold a password.
        }

        return mistakes.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(mistakes);
    }

    private static bool IsUsable(string redis)
    {
        try
        {
            return ConfigurationOptions.Parse(redis).EndPoints.Count > 0;
        }
        catch (Exception invalid) when (invalid is ArgumentException or FormatException)
        {
            return false;
        }
    }
}
