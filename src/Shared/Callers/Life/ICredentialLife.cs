using Bff.Requests;
using Bff.State;
using Microsoft.AspNetCore.Http;

namespace Bff.Callers.Life;

/// <summary>What is known of a credential's end.</summary>
/// <param name="EndsAt">When it ends in any case; in the past: it has.</param>
/// <param name="LookAt">When to ask again.</param>
internal readonly record struct CredentialState(DateTimeOffset EndsAt, DateTimeOffset LookAt)
{
    /// <summary>It is good no more.</summary>
    public static readonly CredentialState Over;
}

/// <summary>A kind of credential that may end earlier than it says, as its store knows.</summary>
internal interface ICredentialLife
{
    /// <summary>Whose kind it is.</summary>
    CallerKind Kind { get; }

    /// <summary>What this kind calls the request's credential, and what is known of its end.</summary>
    (string Name, CredentialState State) Of(HttpContext context, Caller caller);

    /// <summary>Calls back when a credential may have changed, wherever that happened: which one; null: any.</summary>
    void OnChanged(Action<string?> changed);

    /// <summary>Asks the store. Does not prolong anything.</summary>
    /// <exception cref="StoreUnavailableException">The store is away: nothing is known.</exception>
    ValueTask<CredentialState> Look(Caller caller, string name, CancellationToken cancellation);
}
