using Bff.Configuration;
using Bff.Life;
using Bff.Requests;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace Bff.Composition;

/// <summary>What a host decides about its composed answers.</summary>
public sealed class CompositionOptions
{
    /// <summary>Tells clients each part's time in <c>Server-Timing</c>. Default true; not towards strangers.</summary>
    public bool ServerTiming { get; set; } = true;

    /// <summary>
    /// Answers line by line, as parts come, clients that ask for it. Default true; not where an answer is promised to be one document.
    /// </summary>
    public bool Progressive { get; set; } = true;
}

/// <summary>Registers the stage.</summary>
internal static class CompositionRegistration
{
    /// <summary>Parts run in parallel inside one deadline.</summary>
    public static WebApplicationBuilder AddComposition(this WebApplicationBuilder builder)
    {
        builder.Services.AddSingleton<IKnownNames, PartNames>();
        builder.Services.AddReloadable(["Composition"], CompositionPolicies.Parse);
        builder.Services.AddSingleton<IRequestDeadline, CompositionDeadline>();
        builder.Services.AddSingleton<CompositionServices>();
        builder.Services.AddSingleton<CompositionOptions>();
        builder.Services.AddHostedService<KeyedWriteTime>();
        builder.Services.AddSingleton<CompositionGuard>();
        builder.Services.AddHostedService(static provider => provider.GetRequiredService<CompositionGuard>());
        if (!builder.Environment.IsEnvironment("Testing"))
        {
            builder.Services.AddSingleton<IWarmup, CompositionWarmup>();
        }

        return builder;
    }
}
