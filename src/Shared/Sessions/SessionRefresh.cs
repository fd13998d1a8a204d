using System.Collections.Concurrent;
using Bff.Concurrency;
using Bff.Configuration;
using Bff.Sessions.SignIn;
using Bff.Sessions.Stores;
using Bff.State;
using Microsoft.Extensions.Logging;

namespace Bff.Sessions;

/// <summary>Outcome of a refresh for a request that waited for it.</summary>
internal enum RefreshOutcome
{
    /// <summary>The session has a valid token.</summary>
    Ok,

    /// <summary>The provider refused, or the session ended meanwhile.</summary>
    Ended,

    /// <summary>The provider does not answer and the token has expired.</summary>
    Away,
}

/// <summary>
/// Gives a session its next access token.
/// 1. In this process there is one run per session, which outlives the requests that wait for it. A request whose token is still valid
///    waits for at most a second.
/// 2. Across instances one holder has the session's lock; the others wait for what it writes.
/// 3. The holder reads the session again, because another instance may have been faster, and asks the provider once.
/// 4. The new token determines the user's current claims.
/// 5. A refusal ends the session.
/// 6. After a failure, no request is sent for two seconds.
/// 7. The provider's answer is saved as soon as the store is back, because the previous refresh token may be spent.
/// </summary>
internal sealed partial class SessionRefresh(
    SessionVault vault,
    ISessionStore store,
    ProviderClient provider,
    RefreshedClaims claims,
    Reloadable<SessionSettings> settings,
    TimeProvider time,
    ILogger<SessionRefresh> logger
)
{
    private static readonly TimeSpan LockLife = TimeSpan.FromSeconds(15);
    private static readonly TimeSpan LongestWait = TimeSpan.FromSeconds(8);
    private static readonly TimeSpan LongestAnswer = TimeSpan.FromSeconds(20);
    private static readonly TimeSpan LongestAhead = TimeSpan.FromSeconds(1); // A silent provider must not delay a valid token's requests.
    private static readonly TimeSpan LongestSaving = TimeSpan.FromMinutes(10);
    private static readonly TimeSpan LookAgainAfter = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan LookSeldomAfter = TimeSpan.FromMilliseconds(250);
    private static readonly TimeSpan SparedAfterFailure = TimeSpan.FromSeconds(2);
    private readonly SingleFlight<string> _refreshes = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, DateTimeOffset> _spared = new(StringComparer.Ordinal);

    /// <summary>Whether the session's token should be replaced before it is used.</summary>
    public bool IsDue(SessionRecord record) =>
        record.RefreshToken is not null && time.GetUtcNow() >= record.RefreshAt(settings.Current.RefreshBefore);

    /// <summary>Refreshes a session, or waits for a refresh that is already under way.</summary>
    /// <exception cref="StoreUnavailableException">Redis is away.</exception>
    public async Task<RefreshOutcome> Run(BrowserSession session, CancellationToken cancellation)
    {
        var key = session.Key;
        if (_spared.TryGetValue(key, out var until))
        {
            if (until > time.GetUtcNow())
            {
                return IsOver(session.Record) ? RefreshOutcome.Away : RefreshOutcome.Ok;
            }

            _spared.TryRemove(key, out _);
        }

        var longest = IsOver(session.Record) ? LongestAnswer : LongestAhead;
        try
        {
            return await _refreshes.Run(key, this, static (k, refresh) => refresh.Hold(k)).WaitAsync(longest, time, cancellation);
        }
        catch (TimeoutException) when (longest == LongestAhead)
        {
            return IsOver(session.Record) ? RefreshOutcome.Away : RefreshOutcome.Ok; // The run goes on.
        }
        catch (TimeoutException saving)
        {
            throw new StoreUnavailableException(saving);
        }
    }

    private bool IsOver(SessionRecord record) => time.GetUtcNow() >= record.AccessTokenEndsAt;

    private async Task<RefreshOutcome> Hold(string key)
    {
        var owner = SessionKey.NewId();
        var giveUp = time.GetUtcNow() + LongestWait;
        while (true)
        {
            if (await store.TryLock(key, owner, LockLife))
            {
                try
                {
                    return await Refresh(key);
                }
                finally
                {
                    await store.Unlock(key, owner);
                }
            }

            if ((await vault.Find(key, slides: false)).Session is not { } session)
            {
                return RefreshOutcome.Ended;
            }

            if (!IsDue(session.Record) || !IsOver(session.Record))
            {
                return RefreshOutcome.Ok; // Another request has refreshed it, or is refreshing it while the old token is still valid.
            }

            if (time.GetUtcNow() >= giveUp)
            {
                return RefreshOutcome.Away;
            }

            await Task.Delay(LookAgainAfter, time);
        }
    }

    private async Task<RefreshOutcome> Refresh(string key)
    {
        if ((await vault.Find(key, slides: false)).Session is not { } session)
        {
            return RefreshOutcome.Ended;
        }

        if (!IsDue(session.Record))
        {
            return RefreshOutcome.Ok;
        }

        var asked = time.GetUtcNow();
        var answer = await provider.Refresh(session.Record.RefreshToken!, CancellationToken.None);
        switch (answer)
        {
            case { Outcome: ProviderOutcome.Ok, Tokens: { } tokens }:
                return await Take(session, tokens, asked);
            case { Outcome: ProviderOutcome.Refused }:
                LogRefused(logger, session.Id);
                await vault.End(key, session.Record, leaveMark: true);
                return RefreshOutcome.Ended;
            default:
                Spare(key);
                return IsOver(session.Record) ? RefreshOutcome.Away : RefreshOutcome.Ok;
        }
    }

    private async Task<RefreshOutcome> Take(BrowserSession session, TokenAnswer tokens, DateTimeOffset asked)
    {
        var next = Next(session.Record, tokens, asked);
        var said = await claims.Read(next, tokens, CancellationToken.None);
        if (said.IsAnother)
        {
            LogAnother(logger, session.Id);
            await vault.End(session.Key, session.Record, leaveMark: true);
            return RefreshOutcome.Ended;
        }

        if (said.Record is { } verified)
        {
            return await Save(session, verified) ? await Changed(session.Record, verified) : RefreshOutcome.Ended;
        }

        // Only the new refresh token is used, because the previous one may be spent.
        LogUnverified(logger, session.Id);
        Spare(session.Key);
        var saved = await Save(session, session.Record with { RefreshToken = next.RefreshToken, EndsAt = next.EndsAt });
        return !saved ? RefreshOutcome.Ended
            : IsOver(session.Record) ? RefreshOutcome.Away
            : RefreshOutcome.Ok;
    }

    private async Task<RefreshOutcome> Changed(SessionRecord before, SessionRecord after)
    {
        if (before.Tenant != after.Tenant || !before.Roles.SequenceEqual(after.Roles, StringComparer.Ordinal))
        {
            await vault.EndWhatWasMadeFor(before);
        }

        return RefreshOutcome.Ok;
    }

    private SessionRecord Next(SessionRecord record, TokenAnswer tokens, DateTimeOffset asked)
    {
        var absolute = record.CreatedAt + settings.Current.AbsoluteTimeout;
        var refreshEnd = tokens.RefreshTokenLife is { } life ? asked + life : record.EndsAt;
        return record with
        {
            AccessToken = tokens.AccessToken!,
            AccessTokenIssuedAt = asked,
            AccessTokenEndsAt = asked + tokens.AccessTokenLife,
            RefreshToken = tokens.RefreshToken ?? record.RefreshToken,
            EndsAt = refreshEnd < absolute ? refreshEnd : absolute,
            Scopes = tokens.Scope is { } scope ? settings.Current.Claims.SessionScopesOf(scope) : record.Scopes,
        };
    }

    // With rotation the old refresh token is spent, so the new one is kept until Redis is back, even if no request waits any more. There
    // are at most as many as were under way when Redis failed, because no refresh starts without it.
    private async Task<bool> Save(BrowserSession session, SessionRecord next)
    {
        for (var begun = time.GetUtcNow(); ; )
        {
            try
            {
                // Replace also returns false if an earlier attempt did replace the record without an answer: only the lock's holder
                // replaces it.
                return await vault.Replace(session, next) || (await vault.Find(session.Key, slides: false)).Session is not null;
            }
            catch (StoreException) when (time.GetUtcNow() - begun < LongestSaving)
            {
                await Task.Delay(time.GetUtcNow() - begun < LongestWait ? LookAgainAfter : LookSeldomAfter, time);
            }
        }
    }

    private void Spare(string key)
    {
        var now = time.GetUtcNow();
        _spared[key] = now + SparedAfterFailure;
        if (_spared.Count > 1000)
        {
            foreach (var (other, until) in _spared)
            {
                if (until <= now)
                {
                    _spared.TryRemove(other, out _);
                }
            }
        }
    }

    [LoggerMessage(
        1501,
        LogLevel.Information,
        "Session {Session} ends because the identity provider refused to refresh it",
        EventName = "SessionRefreshRefused"
    )]
    private static partial void LogRefused(ILogger logger, string session);

    [LoggerMessage(
        1502,
        LogLevel.Warning,
        "Session {Session} ends because its refreshed token belongs to another user",
        EventName = "SessionRefreshOfOtherUser"
    )]
    private static partial void LogAnother(ILogger logger, string session);

    [LoggerMessage(
        1503,
        LogLevel.Warning,
        "The refreshed token of session {Session} could not be verified; the session is refreshed again before its next use",
        EventName = "SessionRefreshUnverified"
    )]
    private static partial void LogUnverified(ILogger logger, string session);
}
