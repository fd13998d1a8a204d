using Bff.Configuration;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;

namespace Bff.State;

/// <summary>Section <c>State</c>.</summary>
[Settings("State")]
public sealed class StateOptions
{
    /// <summary>The longest that a request waits for Redis.</summary>
    [Setting(Min = "00:00:00.001", Max = "00:00:10")]
    public TimeSpan Timeout { get; set; } = TimeSpan.FromMilliseconds(100);

    /// <summary>
    /// How many replicas of Redis must have a write that is acknowledged; where they do not have it in time, it is told as failed, although
    /// it may have happened. Not with a cluster.
    /// </summary>
    [Setting(Min = 0, Max = 10)]
    public int Replicas { get; set; }

    /// <summary>Lets a host in the Production environment run without Redis, as a single instance whose state dies with it.</summary>
    [Setting]
    public bool AllowEmbedded { get; set; }
}

/// <summary>Stops a host whose state would be lost or not shared without a setting that says so.</summary>
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
            ); // Its text may hold a password.
        }

        var access = new ConfigurationMistakes();
        RedisAccess.Of(configuration, access);
        mistakes.AddRange(access.All.Select(m => m.ToString()));
        return mistakes.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(mistakes);
    }
}
