using Bff.Configuration;
using Bff.Life;
using Bff.Requests;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace Bff.Composition;

/// <summary>A host's choices about its composed answers.</summary>
public sealed class CompositionOptions
{
    /// <summary>
    /// Whether <c>Server-Timing</c> tells clients the duration of each part. Default true; turn it off for untrusted clients.
    /// </summary>
    public bool ServerTiming { get; set; } = true;

    /// <summary>
    /// Whether clients can ask for progressive answers, one line for each part that ends. Default true; turn it off where each answer must
    /// be one document.
    /// </summary>
    public bool Progressive { get; set; } = true;
}

/// <summary>Registers composition.</summary>
internal static class CompositionRegistration
{
    /// <summary>Adds composition: parts that run in parallel within one deadline.</summary>
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
