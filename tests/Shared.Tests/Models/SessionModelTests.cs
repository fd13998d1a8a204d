using System.Net;
using System.Text;
using Bff.Configuration;
using Bff.Sessions;
using Bff.Sessions.SignIn;
using Bff.Sessions.Stores;
using Bff.Shared.Tests.State;
using Bff.State;
using Bff.TestKit;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.WebUtilities;
using Microsoft.Extensions.DependencyInjection;
using StackExchange.Redis;

namespace Bff.Shared.Tests.Models;

/// <summary>
/// Checks sessions against a model. A session that was signed out is never found again, and any other session is found until it ends. A
/// refresh token is used once, by any instance, and the token that it returns is stored. No fault leaves a session without a refresh. A
/// failover to an older copy may bring back a session, or an old token.
/// </summary>
public sealed class SessionModelTests
{
    private enum Act
    {
        SignIn,
        Ask,
        AskEverywhere,
        AskLate,
        SignOut,
        Pass,
        StepClock,
        Keep,
        FailOver,
        Crash,
        Fault,
    }

    private static readonly (int Weight, Act Act)[] Acts =
    [
        (5, Act.SignIn),
        (8, Act.Ask),
        (4, Act.AskEverywhere),
        (5, Act.AskLate),
        (2, Act.SignOut),
        (5, Act.Pass),
        (1, Act.StepClock),
        (1, Act.Keep),
        (1, Act.FailOver),
        (1, Act.Crash),
        (3, Act.Fault),
    ];

    [Fact]
    public async Task The_embedded_sessions_follow_the_model()
    {
        var provider = new Provider();
        await using var one = await Instance.Start(null, provider, new EmbeddedKeyRing(TimeProvider.System));
        await ModelCheck.Run(100, Acts, _ => new Run(null, provider, [one]));
    }

    [RedisFact]
    public async Task The_sessions_in_Redis_follow_the_model()
    {
        using var server = new ModelServer();
        var (provider, keys) = (new Provider(), new EmbeddedKeyRing(TimeProvider.System));
        await using var one = await Instance.Start(server, provider, keys);
        await using var two = await Instance.Start(server, provider, keys);
        await ModelCheck.Run(50, Acts, _ => new Run(server, provider, [one, two]));
    }

    /// <summary>An identity provider that returns a new refresh token with each refresh and accepts each token once.</summary>
    private sealed class Provider : HttpMessageHandler
    {
        private readonly HashSet<string> _spent = [];
        private int _number;

        /// <summary>Sessions that have used a refresh token twice.</summary>
        public HashSet<string> Doubled { get; } = [];

        public string First(string session) => $"{session}/{Interlocked.Increment(ref _number)}";

        protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            if (request.Method == HttpMethod.Get)
            {
                return Json(
                    request.RequestUri!.AbsolutePath == "/keys"
                        ? """{"keys":[]}"""
                        : """
                        {"issuer":"https://id.test","authorization_endpoint":"https://id.test/authorize","token_endpoint":"https://id.test/token","jwks_uri":"https://id.test/keys"}
                        """
                );
            }

            var form = QueryHelpers.ParseQuery(await request.Content!.ReadAsStringAsync(cancellationToken));
            var token = form["refresh_token"].ToString();
            var session = token[..token.IndexOf('/', StringComparison.Ordinal)];
            lock (_spent)
            {
                if (!_spent.Add(token))
                {
                    Doubled.Add(session);
                    return Json("""{"error":"invalid_grant"}""", HttpStatusCode.BadRequest);
                }
            }

            var next = First(session);
            return Json($$"""{"access_token":"{{next}}","token_type":"Bearer","expires_in":120,"refresh_token":"{{next}}"}""");
        }

        private static HttpResponseMessage Json(string text, HttpStatusCode status = HttpStatusCode.OK) =>
            new(status) { Content = new StringContent(text, Encoding.UTF8, "application/json") };
    }

    private sealed class Instance(ServiceProvider services, RedisLink? link, ModelClock clock) : IAsyncDisposable
    {
        public RedisLink? Link => link;

        public ModelClock Clock => clock;

        public SessionVault Vault { get; } = services.GetRequiredService<SessionVault>();

        public SessionRefresh Refresh { get; private set; } = services.GetRequiredService<SessionRefresh>();

        public static async Task<Instance> Start(ModelServer? server, Provider provider, IKeyRing keys)
        {
            var (link, clock) = (server is null ? null : new RedisLink(server), new ModelClock());
            clock.Set(Model.Start);
            var builder = WebApplication.CreateSlimBuilder(new WebApplicationOptions { EnvironmentName = "Development" });
            builder.Logging.Watch();
            builder.Configuration["ConnectionStrings:redis"] = link?.ConnectionString;
            builder.Configuration["State:Timeout"] = Generous.StateTimeout;
            builder.Configuration["Session:Authority"] = "https://id.test";
            builder.Configuration["Session:ClientId"] = "web";
            builder.Configuration["Session:ClientSecret"] = "secret";
            builder.Services.AddSingleton<TimeProvider>(clock);
            builder.AddReloading().AddState().AddBrowserSessions();
            builder.Services.AddSingleton(keys);
            builder.Services.AddHttpClient(ProviderClient.HttpName).ConfigurePrimaryHttpMessageHandler(() => provider);
            var services = builder.Services.BuildServiceProvider();
            if (link is not null)
            {
                services.GetRequiredService<ISessionStore>();
                await StateEngines.Connect(services);
            }

            return new(services, link, clock);
        }

        /// <summary>Forgets the refreshes in progress, as a restart would.</summary>
        public void Restart() => Refresh = ActivatorUtilities.CreateInstance<SessionRefresh>(services);

        public async ValueTask DisposeAsync()
        {
            await services.DisposeAsync();
            link?.Dispose();
        }
    }

    private enum State
    {
        /// <summary>The session was never added.</summary>
        None,

        Lives,
        SignedOut,

        /// <summary>A call failed with an unknown result, or the store may have lost the session.</summary>
        Unknown,
    }

    private sealed class Session
    {
        public required string Name { get; init; }

        public string Key { get; init; } = SessionKey.Hash(SessionKey.NewCookie());

        public State State { get; set; }

        public SessionRecord? Record { get; set; }

        public TimeSpan SeenAt { get; set; }

        /// <summary>Whether the store may have lost the session's newest token.</summary>
        public bool MayBeRefused { get; set; }
    }

    private sealed class Run(ModelServer? server, Provider provider, Instance[] instances) : IRun<Act>
    {
        private static int _number;
        private static readonly TimeSpan Idle = TimeSpan.FromMinutes(29);
        private static readonly TimeSpan Late = TimeSpan.FromSeconds(130);
        private readonly Session[] _sessions =
        [
            .. Enumerable.Range(0, ModelCheck.Records).Select(_ => new Session { Name = "s" + Interlocked.Increment(ref _number) }),
        ];

        private TimeSpan _passed;
        private (Fault Fault, int Skip)? _next;
        private bool _isRefusal;

        public async Task Begin()
        {
            if (server is not null)
            {
                await server.Begin(Model.Start);
                await server.Keep();
            }

            foreach (var instance in instances)
            {
                instance.Clock.Set(Model.Start);
                instance.Restart();
            }
        }

        public async Task Take(Step<Act> step)
        {
            var instance = instances[step.Who % instances.Length];
            var session = _sessions[step.What];
            switch (step.Act)
            {
                case Act.SignIn when session.State == State.None:
                    await SignIn(instance, session);
                    return;
                case Act.Ask when session.State != State.None:
                    await RunWithTime(Ask(instance, session, Arm(instance)));
                    return;
                case Act.AskEverywhere when session.State != State.None:
                    await RunWithTime(Task.WhenAll(instances.Select(i => Ask(i, session, null))));
                    return;
                case Act.AskLate when session.State != State.None:
                    // The access token has expired, so the next request needs a refresh, and the one after it if that refresh fails.
                    await Pass(Late);
                    _next = server is null ? null : (Model.FaultOf(step.Much), step.Much / 3);
                    await RunWithTime(Ask(instance, session, Arm(instance)));
                    await RunWithTime(Ask(instances[^1], session, null));
                    return;
                case Act.SignOut when session.State != State.None:
                    await SignOut(instance, session);
                    return;
                case Act.Pass:
                    await Pass(TimeSpan.FromSeconds(10 * step.Much));
                    return;
                case Act.StepClock when server is not null:
                    await server.Move(Model.Step(step.Much) / 100); // A lock of fifteen seconds outlives most of these steps.
                    return;
                case Act.Keep when server is not null:
                    await server.Keep();
                    return;
                case Act.FailOver when server is not null:
                    await server.FailOver();
                    foreach (var one in _sessions.Where(s => s.State != State.None))
                    {
                        (one.State, one.MayBeRefused) = (State.Unknown, true);
                    }

                    return;
                case Act.Crash:
                    instance.Restart();
                    return;
                case Act.Fault when server is not null:
                    _next = (Model.FaultOf(step.Much), step.Much / 3);
                    return;
            }
        }

        public async Task End()
        {
            _next = null;
            await Pass(Late); // Every access token has expired.
            foreach (var session in _sessions.Where(s => s.State != State.None))
            {
                await RunWithTime(Ask(instances[^1], session, null));
            }
        }

        public ValueTask DisposeAsync()
        {
            Array.ForEach(instances, i => i.Link?.Faults.Disarm());
            return default;
        }

        private FaultPlan? Arm(Instance instance)
        {
            if (_next is not { } fault || instance.Link is not { } link)
            {
                return null;
            }

            link.Faults.Arm(fault.Fault, fault.Skip);
            _isRefusal = fault.Fault == Fault.Refused;
            _next = null;
            return link.Faults;
        }

        private async Task SignIn(Instance instance, Session session)
        {
            var now = instance.Clock.GetUtcNow();
            var token = provider.First(session.Name);
            var record = new SessionRecord
            {
                Id = session.Name,
                Subject = "u",
                Client = "web",
                Device = "Firefox",
                CreatedAt = now,
                EndsAt = now + TimeSpan.FromHours(8),
                AccessToken = token,
                AccessTokenIssuedAt = now,
                AccessTokenEndsAt = now + TimeSpan.FromMinutes(2),
                RefreshToken = token,
            };
            (session.Record, session.SeenAt) = (record, _passed);
            var faults = Arm(instance);
            try
            {
                await instance.Vault.Add(session.Key, record);
                session.State = State.Lives;
            }
            catch (Exception refused) when (Model.IsRefusal(refused))
            {
                session.State = State.Unknown;
            }
            finally
            {
                faults?.Disarm();
            }
        }

        private async Task SignOut(Instance instance, Session session)
        {
            var faults = Arm(instance);
            try
            {
                await instance.Vault.End(session.Key, session.Record, leaveMark: false);
                session.State = State.SignedOut;
            }
            catch (Exception refused) when (Model.IsRefusal(refused))
            {
                session.State = State.Unknown;
            }
            finally
            {
                faults?.Disarm();
            }
        }

        private async Task Ask(Instance instance, Session session, FaultPlan? faults)
        {
            var isCertain = session.State == State.Lives && _passed - session.SeenAt < Idle;
            try
            {
                await Task.Yield();
                var found = (await instance.Vault.Find(session.Key, slides: true)).Session;
                Model.Holds(
                    found is null || session.State != State.SignedOut,
                    $"session {session.Name} answers although it was signed out"
                );
                Model.Holds(
                    found is not null || !isCertain || session.MayBeRefused,
                    $"session {session.Name} does not answer although nobody signed it out"
                );
                if (found is null)
                {
                    session.State = session.State == State.SignedOut ? State.SignedOut : State.Unknown;
                    return;
                }

                session.SeenAt = _passed;
                if (instance.Refresh.IsDue(found.Record))
                {
                    var isOver = instance.Clock.GetUtcNow() >= found.Record.AccessTokenEndsAt;
                    var outcome = await instance.Refresh.Run(found, default);
                    Model.Holds(
                        outcome != RefreshOutcome.Ended
                            || session.MayBeRefused
                            || (faults is not null && _isRefusal)
                            || session.State != State.Lives,
                        $"session {session.Name} ended with a refresh"
                    );
                    Model.Holds(
                        outcome != RefreshOutcome.Away || faults is not null || !isOver,
                        $"session {session.Name} is not refreshed although the provider answers"
                    );
                }
            }
            catch (Exception refused) when (Model.IsRefusal(refused))
            {
                Model.Holds(faults is not null, "a session was refused and nothing was wrong");
            }
            finally
            {
                // The session does not wait for a store that refuses the new token, because the store would refuse it again.
                session.MayBeRefused |= faults?.Disarm() == true && _isRefusal;
            }

            Model.Holds(
                session.MayBeRefused || !provider.Doubled.Contains(session.Name),
                $"session {session.Name} used a refresh token twice"
            );
        }

        /// <summary>Advances the clocks while the task has timers to wait for.</summary>
        private async Task RunWithTime(Task task)
        {
            while (!task.IsCompleted)
            {
                if (instances.Any(i => i.Clock.Waiting > 0))
                {
                    await Pass(TimeSpan.FromMilliseconds(50));
                }

                await Task.WhenAny(task, Task.Delay(5)); // Releases in the background use real time.
            }

            await task;
        }

        private async Task Pass(TimeSpan time)
        {
            _passed += time;
            await (server?.Move(time) ?? Task.CompletedTask);
            foreach (var instance in instances)
            {
                instance.Clock.Advance(time);
            }
        }
    }
}
