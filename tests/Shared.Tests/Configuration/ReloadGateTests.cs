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
    public void The_next_valid_edit_takes_effect_everywhere_before_anybody_is_told()
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
    public void A_section_that_an_edit_leaves_alone_keeps_its_snapshot()
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
    public void An_edit_that_comes_while_the_host_reads_for_the_first_time_is_not_lost()
    {
        var settings = new Settings { ["Left:Size"] = "1", ["Right:Size"] = "1" };
        var edit = () => settings.Edit(("Left:Size", "5"));

        // The second section is read after the first one was, and before anybody watches.
        using var host = Host(settings, services => services.AddReloadable(["Late"], (_, _) =>
        {
            Interlocked.Exchange(ref edit, () => { })();
            return "read";
        }));

        Assert.Equal(5, host.GetRequiredService<Reloadable<Left>>().Current.Size);
    }

    private ServiceProvider Host(Settings settings, Action<IServiceCollection>? more = null)
    {
        var configuration = new ConfigurationManager();
        ((IConfigurationBuilder)configuration).Add(settings);
        var services = new ServiceCollection();
        services.AddSingleton<IConfiguration>(configuration);
        services.AddSingleton(BrokenFiles.Of(configuration));
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

    /// <summary>A configuration source that is edited by the test.</summary>
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
