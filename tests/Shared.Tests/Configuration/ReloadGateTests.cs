using System.Diagnostics.Metrics;
using Bff.Configuration;
using Bff.TestKit;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Bff.Shared.Tests.Configuration;

public sealed class ReloadGateTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("bff-reload").FullName;
    private readonly LogRecorder _log = new();

    public void Dispose()
    {
        Directory.Delete(_folder, recursive: true);
        new LeakSentinel().Verify(_log);
    }

    [Fact]
    public void An_edit_with_a_mistake_in_one_section_changes_no_section()
    {
        var settings = new Settings { ["Left:Size"] = "1", ["Right:Size"] = "1" };
        using var host = Host(settings);
        var left = host.GetRequiredService<Reloadable<Left>>();
        var right = host.GetRequiredService<Reloadable<Right>>();

        settings.Edit(("Left:Size", "2"), ("Right:Size", "many"));

        Assert.Equal(1, left.Current.Size);
        Assert.Equal(1, right.Current.Size);
        Assert.Contains(_log.Entries, e => e.Level == LogLevel.Error && e.Message.Contains("Right:Size", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("Logging:LogLevel:Default", "Loud", true)]
    [InlineData("Logging:Console:LogLevel:Bff", "Loud", true)]
    [InlineData("Logging:LogLevel:Default", "debug", false)]
    [InlineData("Logging:LogLevel:Default", "", false)]
    public void An_edit_with_an_unknown_log_level_is_refused(string key, string value, bool isMistake)
    {
        var settings = new Settings { ["Left:Size"] = "1", ["Right:Size"] = "1" };
        using var host = Host(settings);
        var left = host.GetRequiredService<Reloadable<Left>>();

        settings.Edit((key, value), ("Left:Size", "2"));

        Assert.Equal(isMistake ? 1 : 2, left.Current.Size);
        Assert.Equal(
            isMistake,
            _log.Entries.Any(e => e.Event.Name == "ConfigurationEditRefused" && e.Message.Contains(key, StringComparison.Ordinal))
        );
    }

    [Fact]
    public void Every_mistake_of_an_edit_is_logged_once_with_its_key()
    {
        var settings = new Settings { ["Left:Size"] = "1", ["Right:Size"] = "1" };
        using var host = Host(settings);

        settings.Edit(("Left:Size", "-1"), ("Right:Size", "many"));
        settings.Edit(); // The file system often reports one save twice.

        Assert.Single(_log.Entries, e => e.Message.Contains("Left:Size", StringComparison.Ordinal));
        Assert.Single(_log.Entries, e => e.Message.Contains("Right:Size", StringComparison.Ordinal));
    }

    [Fact]
    public void The_next_valid_edit_takes_effect_in_all_sections_before_any_change_handler_runs()
    {
        var settings = new Settings { ["Left:Size"] = "1", ["Right:Size"] = "1" };
        using var host = Host(settings);
        var left = host.GetRequiredService<Reloadable<Left>>();
        var right = host.GetRequiredService<Reloadable<Right>>();
        var seen = new List<int>();
        left.OnChange(now => seen.Add(now.Size + right.Current.Size));

        settings.Edit(("Left:Size", "2"), ("Right:Size", "many"));
        settings.Edit(("Left:Size", "3"), ("Right:Size", "4"));

        Assert.Equal([7], seen);
    }

    [Fact]
    public void A_section_that_an_edit_does_not_change_keeps_its_snapshot()
    {
        var settings = new Settings { ["Left:Size"] = "1", ["Right:Size"] = "1" };
        using var host = Host(settings);
        var left = host.GetRequiredService<Reloadable<Left>>();
        var before = left.Current;

        settings.Edit(("Right:Size", "4"));

        Assert.Same(before, left.Current);
        Assert.Equal(4, host.GetRequiredService<Reloadable<Right>>().Current.Size);
    }

    [Fact]
    public void At_start_all_mistakes_are_reported_at_once_and_the_host_stops()
    {
        var builder = WebApplication.CreateSlimBuilder();
        ((IConfigurationBuilder)builder.Configuration).Add(new Settings { ["Left:Size"] = "x", ["Right:Size"] = "y" });
        builder.Logging.AddProvider(_log);
        builder.AddReloading();
        AddSections(builder.Services);
        builder.Services.AddOptions<Right>().Validate(_ => false, "Other:Key: is missing.").ValidateOnStart();
        var app = builder.Build();

        var refusal = Assert.Throws<InvalidConfigurationException>(app.CheckConfiguration);

        Assert.Equal(["Left:Size", "Right:Size", "Right"], refusal.Mistakes.Select(m => m.Key));
        Assert.Contains("Other:Key", refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_file_that_is_no_longer_JSON_changes_nothing_and_is_reported()
    {
        var file = Path.Combine(_folder, "appsettings.json");
        await File.WriteAllTextAsync(file, """{ "Left": { "Size": 1 } }""");
        var builder = WebApplication.CreateSlimBuilder();
        builder.Configuration.AddJsonFile(file, optional: false, reloadOnChange: true);
        builder.Logging.AddProvider(_log);
        builder.AddReloading();
        AddSections(builder.Services);
        await using var app = builder.Build();
        app.CheckConfiguration();
        var left = app.Services.GetRequiredService<Reloadable<Left>>();
        var changed = new TaskCompletionSource();
        left.OnChange(_ => changed.TrySetResult());

        await File.WriteAllTextAsync(file, """{ "Left": { "Size": 2 """);
        await _log.Until(e => e.Level == LogLevel.Error && e.Message.Contains("appsettings.json", StringComparison.Ordinal));
        Assert.Equal(1, left.Current.Size);

        await File.WriteAllTextAsync(file, """{ "Left": { "Size": 3 } }""");
        await changed.Task.WaitAsync(TimeSpan.FromSeconds(30));
        Assert.Equal(3, left.Current.Size);
    }

    [Fact]
    public void An_edit_during_the_first_read_of_the_configuration_is_not_lost()
    {
        var settings = new Settings { ["Left:Size"] = "1", ["Right:Size"] = "1" };
        var edit = () => settings.Edit(("Left:Size", "5"));

        // The second section is read after the first one and before anything watches for changes.
        using var host = Host(
            settings,
            services =>
                services.AddReloadable(
                    ["Late"],
                    (_, _) =>
                    {
                        Interlocked.Exchange(ref edit, () => { })();
                        return "read";
                    }
                )
        );

        Assert.Equal(5, host.GetRequiredService<Reloadable<Left>>().Current.Size);
    }

    /// <summary>Such an edit would take effect only at the next start, which would then fail.</summary>
    [Fact]
    public void An_edit_with_a_mistake_in_a_setting_that_is_read_at_start_is_refused()
    {
        var settings = new Settings { ["Left:Size"] = "1", ["Fixed:Size"] = "1" };
        using var host = Host(settings, services => services.AddSettings<Fixed>());
        var left = host.GetRequiredService<Reloadable<Left>>();

        settings.Edit(("Left:Size", "2"), ("Fixed:Size", "many"));

        Assert.Equal(1, left.Current.Size);
        Assert.Contains(_log.Entries, e => e.Level == LogLevel.Error && e.Message.Contains("Fixed:Size", StringComparison.Ordinal));
    }

    [Fact]
    public void An_edit_that_needs_a_restart_is_logged_and_counted_until_it_is_undone()
    {
        var settings = new Settings
        {
            ["Left:Size"] = "1",
            ["Fixed:Size"] = "1",
            ["ForwardedHeaders:KnownProxies:0"] = "10.0.0.1",
            ["OTEL_SERVICE_NAME"] = "a",
        };
        using var host = Host(settings, services => services.AddSettings<Fixed>());
        using var watched = new SettingsMeasurements(host);

        settings.Edit(("Left:Size", "2"));
        Assert.DoesNotContain(_log.Entries, e => e.Message.Contains("next start", StringComparison.Ordinal));

        settings.Edit(("Fixed:Size", "7"), ("ForwardedHeaders:KnownProxies:0", "10.0.0.9"), ("OTEL_SERVICE_NAME", "secret"));
        settings.Edit();
        var said = Assert.Single(
            _log.Entries,
            e => e.Level == LogLevel.Warning && e.Message.Contains("next start", StringComparison.Ordinal)
        );
        Assert.EndsWith(": Fixed:Size, ForwardedHeaders:KnownProxies:0, OTEL_SERVICE_NAME", said.Message, StringComparison.Ordinal);
        Assert.Equal(3, watched["bff.settings.pending"]);

        settings.Edit(("Fixed:Size", "1"), ("ForwardedHeaders:KnownProxies:0", "10.0.0.1"), ("OTEL_SERVICE_NAME", "a"));
        Assert.Equal(0, watched["bff.settings.pending"]);
    }

    [Fact]
    public void Refused_settings_are_counted_until_the_files_are_in_force_again()
    {
        var settings = new Settings { ["Left:Size"] = "1", ["Right:Size"] = "1" };
        using var host = Host(settings);
        using var watched = new SettingsMeasurements(host);
        Assert.Equal(0, watched["bff.settings.refused"]);

        settings.Edit(("Left:Size", "-1"), ("Right:Size", "many"));
        settings.Edit();
        Assert.Equal((2, 1), (watched["bff.settings.refused"], watched["bff.settings.edits refused"]));

        settings.Edit(("Left:Size", "1"), ("Right:Size", "1")); // The edit is undone, so the files match the settings in force.
        Assert.Equal((0, 1), (watched["bff.settings.refused"], watched["bff.settings.edits taken"]));
        Assert.Single(_log.Entries, e => e.Event.Name == "ConfigurationMended");

        settings.Edit(); // Reported twice.
        Assert.Single(_log.Entries, e => e.Event.Name == "ConfigurationMended");
    }

    [Theory]
    // The host declares no keys of that section, so there is none to suggest.
    [InlineData("Rigth:Size", "is not read by this host. Remove it.")]
    [InlineData("Settings:Unkown", "is not read by this host. Did you mean Settings:Unknown?")]
    [InlineData("ReverseProxy:Routes:x:CorsPolicy", "is not read. Origins are allowed for the whole host, in Cors:Origins.")]
    public void An_edit_with_an_unknown_key_is_refused_and_the_key_is_named(string key, string mistake)
    {
        var settings = new Settings { ["Left:Size"] = "1", ["Right:Size"] = "1" };
        using var host = Host(settings);

        settings.Edit(("Left:Size", "2"), (key, "1"));

        Assert.Equal(1, host.GetRequiredService<Reloadable<Left>>().Current.Size);
        Assert.Single(_log.Entries, e => e.Level == LogLevel.Error && e.Message.Contains($"{key}: {mistake}", StringComparison.Ordinal));
    }

    [Fact]
    public void An_unknown_key_is_only_logged_when_configured_so()
    {
        var settings = new Settings
        {
            ["Left:Size"] = "1",
            ["Right:Size"] = "1",
            ["Settings:Unknown"] = "Warn",
        };
        using var host = Host(settings);

        settings.Edit(("Left:Size", "2"), ("Rigth:Size", "1"));
        settings.Edit();

        Assert.Equal(2, host.GetRequiredService<Reloadable<Left>>().Current.Size);
        Assert.Single(_log.Entries, e => e.Level == LogLevel.Warning && e.Message.Contains("Rigth:Size", StringComparison.Ordinal));
    }

    [Fact]
    public void A_section_that_other_code_reads_allows_any_key()
    {
        var settings = new Settings
        {
            ["Left:Size"] = "1",
            ["Right:Size"] = "1",
            ["Loyalty:Points:PerOrder"] = "5",
        };

        using var host = Host(settings, services => services.AddForeignSettings("Loyalty"));

        Assert.Equal(1, host.GetRequiredService<Reloadable<Left>>().Current.Size);
    }

    private ServiceProvider Host(Settings settings, Action<IServiceCollection>? more = null)
    {
        var configuration = new ConfigurationManager();
        ((IConfigurationBuilder)configuration).Add(settings);
        var services = new ServiceCollection();
        services.AddSingleton<IConfiguration>(configuration);
        services.AddSingleton(BrokenFiles.Of(configuration));
        services.AddMetrics().AddSingleton<SettingsMetrics>();
        services.AddSingleton<UnknownKeys>();
        services.AddSingleton<ReloadGate>();
        services.AddLogging(logging => logging.AddProvider(_log));
        AddSections(services);
        more?.Invoke(services);
        var host = services.BuildServiceProvider();
        host.GetRequiredService<ReloadGate>().Load();
        return host;
    }

    private static void AddSections(IServiceCollection services)
    {
        services.AddReloadable(["Left"], static (root, mistakes) => mistakes.Bind(root.GetSection("Left"), new Left()));
        services.AddReloadable(["Right"], static (root, mistakes) => mistakes.Bind(root.GetSection("Right"), new Right()));
    }

    [Settings("Fixed")]
    private sealed class Fixed
    {
        [Setting(Min = 0, Max = 10)]
        public int Size { get; set; }
    }

    /// <summary>Measured values of one host's settings metrics, by name and outcome.</summary>
    private sealed class SettingsMeasurements : IDisposable
    {
        private readonly Dictionary<string, long> _values = [];
        private readonly MeterListener _listener = new();

        public SettingsMeasurements(IServiceProvider host)
        {
            var meters = host.GetRequiredService<IMeterFactory>();
            _listener.InstrumentPublished = (instrument, listener) =>
            {
                if (ReferenceEquals(instrument.Meter.Scope, meters))
                {
                    listener.EnableMeasurementEvents(instrument);
                }
            };
            _listener.SetMeasurementEventCallback<int>((instrument, value, _, _) => _values[instrument.Name] = value);
            _listener.SetMeasurementEventCallback<long>(
                (instrument, value, tags, _) =>
                {
                    var name = $"{instrument.Name} {tags[0].Value}";
                    _values[name] = _values.GetValueOrDefault(name) + value;
                }
            );
            _listener.Start();
        }

        public long this[string name]
        {
            get
            {
                _listener.RecordObservableInstruments();
                return _values.GetValueOrDefault(name, -1);
            }
        }

        public void Dispose() => _listener.Dispose();
    }

    private sealed record Left
    {
        [Setting(Min = 0, Max = 10)]
        public int Size { get; init; }
    }

    private sealed class Right
    {
        [Setting(Min = 0, Max = 10)]
        public int Size { get; init; }
    }

    /// <summary>A configuration source that the test edits.</summary>
    private sealed class Settings : ConfigurationProvider, IConfigurationSource
    {
        public string this[string key]
        {
            set => Data[key] = value;
        }

        public IConfigurationProvider Build(IConfigurationBuilder builder) => this;

        public void Edit(params (string Key, string Value)[] values)
        {
            foreach (var (key, value) in values)
            {
                Data[key] = value;
            }

            OnReload();
        }
    }
}
