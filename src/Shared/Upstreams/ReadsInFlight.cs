using System.Diagnostics.CodeAnalysis;
using Bff.Callers.Identity;
using Bff.Requests;

namespace Bff.Upstreams;

/// <summary>
/// Identifies a read: what is read, as which type, and for whom. Two callers are the same only if services get the same information about
/// both. A service may answer differently for the same subject with other roles or scopes, with another token if it gets tokens, and in
/// another language; so may a service and its canary.
/// </summary>
internal readonly struct ReadKey(
    string what,
    Type type,
    Caller caller,
    CallerToken token,
    KeyValuePair<string, string>[] headers,
    string[] canaries
) : IEquatable<ReadKey>
{
    private readonly string _what = what;
    private readonly Type _type = type;
    private readonly Caller _caller = caller;
    private readonly CallerToken _token = token;
    private readonly KeyValuePair<string, string>[] _headers = headers;
    private readonly string[] _canaries = canaries;

    public bool Equals(ReadKey other) =>
        ReferenceEquals(_type, other._type)
        && _what == other._what
        && IsSame(_caller, other._caller)
        && _token.Equals(other._token)
        && _headers.AsSpan().SequenceEqual(other._headers)
        && _canaries.AsSpan().SequenceEqual(other._canaries);

    public override bool Equals([NotNullWhen(true)] object? obj) => obj is ReadKey other && Equals(other);

    public override int GetHashCode() => HashCode.Combine(_what, _caller.Subject);

    private static bool IsSame(Caller one, Caller other) =>
        ReferenceEquals(one, other)
        || (
            one.Kind == other.Kind
            && one.IsSandbox == other.IsSandbox
            && one.Subject == other.Subject
            && one.Tenant == other.Tenant
            && IdentityHeaders.Known(one).AsSpan().SequenceEqual(IdentityHeaders.Known(other))
        );
}

/// <summary>
/// A read that its first caller makes as if it were alone, within its own time limit; others join it. It does not use
/// <see cref="Bff.Concurrency.SingleFlight{TKey}"/>, whose runs belong to no request and need a request, a time limit and a task of their
/// own. Every read passes through here, so it costs more than one object only once another request joins.
/// </summary>
internal sealed class ReadInFlight<T>(ReadStamp stamp)
{
    private static readonly object Over = new();
    private object? _state;

    /// <summary>The counts at the start of the read.</summary>
    public ReadStamp Stamp => stamp;

    /// <summary>
    /// Returns the future answer, which is null if the read failed for reasons of the first caller; returns null if it is too late to join.
    /// </summary>
    public Task<UpstreamAnswer<T>?>? Join()
    {
        var state = Volatile.Read(ref _state);
        if (state is null)
        {
            var waiting = new TaskCompletionSource<UpstreamAnswer<T>?>(TaskCreationOptions.RunContinuationsAsynchronously);
            state = Interlocked.CompareExchange(ref _state, waiting, null) ?? waiting;
        }

        return (state as TaskCompletionSource<UpstreamAnswer<T>?>)?.Task;
    }

    public void Complete(UpstreamAnswer<T>? answer) =>
        (Interlocked.Exchange(ref _state, Over) as TaskCompletionSource<UpstreamAnswer<T>?>)?.SetResult(answer);
}
