using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;
using StackExchange.Redis;

namespace Bff.State;

/// <summary>Section <c>State</c>.</summary>
public sealed class StateOptions
{
    /// <summary>The longest that a request waits for Redis; above 0 and at most 10 s. Default 100 ms.</summary>
    public TimeSpan Timeout { get; set; } = TimeSpan.FromMilliseconds(100);

    /// <summary>Lets a host in the Production environment run without Redis, as a single instance whose state dies with it.</summary>
    public bool AllowEmbedded { get; set; }
}

/// <summary>Stops a host whose state would be lost or not shared without anybody having said so.</summary>
internal sealed class StateOptionsValidator(IConfiguration configuration, IHostEnvironment environment) : IValidateOptions<StateOptions>
{
    public ValidateOptionsResult Validate(string? name, StateOptions options)
    {
        var mistakes = new List<string>();
        if (options.Timeout <= TimeSpan.Zero || options.Timeout > TimeSpan.FromSeconds(10))
        {
            mistakes.Add("State:Timeout: must be above 0 and at most 00:00:10.");
        }

        var redis = configuration.GetConnectionString("redis");
        if (string.IsNullOrWhiteSpace(redis))
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
