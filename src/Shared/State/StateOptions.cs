using Bff.Configuration;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;

namespace Bff.State;

/// <summary>Settings of the section <c>State</c>.</summary>
[Settings("State")]
public sealed class StateOptions
{
    /// <summary>Longest time that a request waits for Redis.</summary>
    [Setting(Min = "00:00:00.001", Max = "00:00:10")]
    public TimeSpan Timeout { get; set; } = TimeSpan.FromMilliseconds(100);

    /// <summary>
    /// Number of Redis replicas that must have a write before it is acknowledged. If they do not have it in time, the write is reported as
    /// failed, although it may have happened. Cannot be used with a cluster.
    /// </summary>
    [Setting(Min = 0, Max = 10)]
    public int Replicas { get; set; }

    /// <summary>
    /// Lets a host in the Production environment run without Redis, as a single instance whose state is lost when it stops.
    /// </summary>
    [Setting]
    public bool AllowEmbedded { get; set; }
}

/// <summary>Stops the host if its state would be lost or not shared, unless a setting allows it.</summary>
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
                mistakes.Add(
                    "ConnectionStrings:redis: required in Production, because embedded state is lost with the process and not shared "
                        + "between instances. Set it, or set State:AllowEmbedded=true to run a single instance so."
                );
            }
        }
        else if (RedisAddress.Parse(redis) is null)
        {
            mistakes.Add(
                "ConnectionStrings:redis: not a connection string such as host:6379,password=...,ssl=true, nor an address such as rediss://user:password@host:6379."
            ); // The value is not shown, because it may contain a password.
        }

        var access = new ConfigurationMistakes();
        RedisAccess.Of(configuration, access);
        mistakes.AddRange(access.All.Select(m => m.ToString()));
        return mistakes.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(mistakes);
    }
}
